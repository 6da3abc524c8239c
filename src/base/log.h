/* log.h - what happened, one line an event, to standard error (systemd's journal, or a file).
 * A line is written with one write(2); control characters in it are shown as \xNN, so that no
 * client can forge a line. Thread-safe. The log is the program's only global. */
#pragma once
#include "base/fail.h"

enum log_level { LOG_ERRORS, LOG_WARNINGS, LOG_NOTES, LOG_DETAILS };

void log_open(int fd, enum log_level most); /* until called: fd 2, LOG_NOTES; fd is borrowed */
void log_error(const char *format, ...) PRINTF(1, 2);  /* somebody must act */
void log_warn(const char *format, ...) PRINTF(1, 2);   /* refused, damaged input, limits hit */
void log_note(const char *format, ...) PRINTF(1, 2);   /* start, stop, login, filed */
void log_detail(const char *format, ...) PRINTF(1, 2); /* for finding faults */
