/* One folder of the host, shared by 9p (9P2000.L over virtio). Numbers of its open files begin at SHARED_FILES. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

#define SHARED_FILES 48
#define MOST_SHARED_FILES 16

/* Mounts the share with this tag at a path. Gives 0 or a negative error number. */
int share_mount(const char *tag, const char *path);

/* The part of a path below the share's, or null when it does not lie there. */
const char *share_path(const char *path);

/* These give what their namesakes without share_ give, or a negative error number. */
int share_open(const char *path, int flags);
ssize_t share_read(int number, void *buffer, size_t size);
ssize_t share_write(int number, const void *buffer, size_t size);
int share_close(int number);
