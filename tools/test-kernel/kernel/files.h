/* Mounting, and the tree of files behind <fcntl.h>, <unistd.h> and <dirent.h>. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum file_type { FILE_NONE, FILE_REGULAR, FILE_DIRECTORY, FILE_LINK };

struct file {
	enum file_type type;
	const char *name; /* below the root, without a slash at its start or end */
	size_t name_size;
	const char *data; /* content, or the target of a link */
	size_t size;
};

/* Mounts what the configuration and the parameters ask for. Gives 0 or a negative error number. */
int mount_root(const char *initrd, size_t size);

/* Checks a CPIO archive and makes it the root. Gives 0 or a negative error number. */
int cpio_mount(const char *archive, size_t size);

/* Gives the entries of the archive one after the other: start with *position = 0; FILE_NONE comes after the last. */
struct file cpio_next(size_t *position);
