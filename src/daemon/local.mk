libbaton_a_SOURCES += \
	src/daemon/control.c src/daemon/control.h src/daemon/jobs.c src/daemon/jobs.h src/daemon/start.c src/daemon/start.h

sbin_PROGRAMS += batond
batond_SOURCES = src/daemon/main.c
batond_LDADD = libbaton.a
