/* give.h - what root made becomes the site's user's: batond could not open it otherwise. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct owner {
        uid_t user;
        gid_t group;
};
/* The folder and everything below it, links not followed. False: errno says why. */
bool give_folder(const char *path, struct owner);
