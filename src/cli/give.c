#include "cli/give.h"
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MOST = 4 };

/* Everything below an open folder, which is closed. */
static bool give_below(int folder, struct owner owner, unsigned depth)
{
        DIR *list = folder < 0 || depth > DEPTH_MOST ? NULL : fdopendir(folder);
        bool done = list != NULL;
        struct dirent *item;
        while (done && (item = readdir(list))) {
                if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, ".."))
                        continue;
                done = fchownat(folder, item->d_name, owner.user, owner.group,
                               AT_SYMLINK_NOFOLLOW) == 0;
                if (done && item->d_type == DT_DIR)
                        done = give_below(openat(folder, item->d_name,
                                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                                owner, depth + 1);
        }
        if (list)
                closedir(list);
        return done;
}

bool give_folder(const char *path, struct owner owner)
{
        return chown(path, owner.user, owner.group) == 0 &&
               give_below(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), owner, 0);
}
