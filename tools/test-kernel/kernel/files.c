#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "console.h"
#include "files.h"
#ifdef CONFIG_LIB9PFS
#include "share.h"
#endif
#ifdef CONFIG_LIBPOSIX_SOCKET
#include <sys/socket.h>
#include "sockets.h"
#endif

#define MOST_OPEN_FILES 32
#define FIRST_FILE 3
#define MOST_LINKS 8
#define PATH_SIZE 1024

static struct open_file {
	struct file file;
	size_t position;
} open_files[MOST_OPEN_FILES];

struct directory {
	struct file file;
	size_t position;
	struct dirent entry;
};

static struct directory directories[16];

static int find(const char *path, struct file *found);
static int find_plain(const char *path, size_t size, struct file *found);
static void clean_path(char *path);
static struct open_file *open_file(int number);

#ifdef CONFIG_LIB9PFS
static int is_shared(int number)
{
	return number >= SHARED_FILES && number < SHARED_FILES + MOST_SHARED_FILES;
}

static ssize_t with_errno(ssize_t result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}
#endif

int open(const char *path, int flags, ...)
{
	struct file file;

#ifdef CONFIG_LIB9PFS
	if (share_path(path))
		return with_errno(share_open(share_path(path), flags));
#endif
	if ((flags & O_ACCMODE) != O_RDONLY) {
		errno = EROFS;
		return -1;
	}
	if (find(path, &file) != 0)
		return -1;
	for (int index = 0; index < MOST_OPEN_FILES; index++) {
		if (open_files[index].file.type == FILE_NONE) {
			open_files[index] = (struct open_file){ .file = file };
			return index + FIRST_FILE;
		}
	}
	errno = EMFILE;
	return -1;
}

ssize_t read(int number, void *buffer, size_t size)
{
	if (number == 0)
		return console_read_line(buffer, size);
#ifdef CONFIG_LIB9PFS
	if (is_shared(number))
		return with_errno(share_read(number, buffer, size));
#endif

	struct open_file *open = open_file(number);

	if (open == NULL)
		return -1;
	if (open->file.type == FILE_DIRECTORY) {
		errno = EISDIR;
		return -1;
	}
	if (size > open->file.size - open->position)
		size = open->file.size - open->position;
	memcpy(buffer, open->file.data + open->position, size);
	open->position += size;
	return size;
}

ssize_t write(int number, const void *buffer, size_t size)
{
#ifdef CONFIG_LIB9PFS
	if (is_shared(number))
		return with_errno(share_write(number, buffer, size));
#endif
	if (number != 1 && number != 2) {
		errno = EBADF;
		return -1;
	}
	console_write(buffer, size);
	return size;
}

int close(int number)
{
#ifdef CONFIG_LIB9PFS
	if (is_shared(number))
		return with_errno(share_close(number));
#endif
#ifdef CONFIG_LIBPOSIX_SOCKET
	if (number >= LISTENING_SOCKET)
		return shutdown(number, SHUT_RDWR);
#endif
	struct open_file *open = open_file(number);

	if (open == NULL)
		return -1;
	open->file.type = FILE_NONE;
	return 0;
}

static struct open_file *open_file(int number)
{
	int index = number - FIRST_FILE;

	if (index >= 0 && index < MOST_OPEN_FILES && open_files[index].file.type != FILE_NONE)
		return &open_files[index];
	errno = EBADF;
	return NULL;
}

DIR *opendir(const char *path)
{
	struct file file;

	if (find(path, &file) != 0)
		return NULL;
	if (file.type != FILE_DIRECTORY) {
		errno = ENOTDIR;
		return NULL;
	}
	for (size_t index = 0; index < sizeof(directories) / sizeof(*directories); index++) {
		if (directories[index].file.type == FILE_NONE) {
			directories[index] = (struct directory){ .file = file };
			return &directories[index];
		}
	}
	errno = EMFILE;
	return NULL;
}

struct dirent *readdir(DIR *directory)
{
	static const unsigned char types[] = {
		[FILE_REGULAR] = DT_REG, [FILE_DIRECTORY] = DT_DIR, [FILE_LINK] = DT_LNK,
	};
	size_t below = directory->file.name_size ? directory->file.name_size + 1 : 0;

	for (;;) {
		struct file file = cpio_next(&directory->position);

		if (file.type == FILE_NONE)
			return NULL;
		if (file.name_size <= below || memcmp(file.name, directory->file.name, below ? below - 1 : 0) != 0
		    || (below && file.name[below - 1] != '/') || memchr(file.name + below, '/', file.name_size - below))
			continue;

		size_t size = file.name_size - below;

		if (size >= sizeof(directory->entry.d_name))
			continue;
		memcpy(directory->entry.d_name, file.name + below, size);
		directory->entry.d_name[size] = 0;
		directory->entry.d_type = types[file.type];
		return &directory->entry;
	}
}

int closedir(DIR *directory)
{
	directory->file.type = FILE_NONE;
	return 0;
}

/* Follows symbolic links at the end of the path; links in its middle are not followed. */
static int find(const char *path, struct file *found)
{
	char name[PATH_SIZE];

	if (strlen(path) >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(name, path);
	for (int links = 0; links < MOST_LINKS; links++) {
		clean_path(name);
		if (find_plain(name, strlen(name), found) != 0)
			return -1;
		if (found->type != FILE_LINK)
			return 0;

		char *slash = found->data[0] == '/' ? NULL : strrchr(name, '/');
		size_t kept = slash ? slash - name + 1 : 0;

		if (kept + found->size >= sizeof(name)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name + kept, found->data, found->size);
		name[kept + found->size] = 0;
	}
	errno = ELOOP;
	return -1;
}

static int find_plain(const char *path, size_t size, struct file *found)
{
	int is_there = 0;

	if (size == 0) {
		*found = (struct file){ .type = FILE_DIRECTORY };
		return 0;
	}
	for (size_t position = 0;;) {
		struct file file = cpio_next(&position);

		if (file.type == FILE_NONE)
			break;
		/* A later entry replaces an earlier one. */
		if (file.name_size == size && memcmp(file.name, path, size) == 0) {
			*found = file;
			is_there = 1;
		}
	}
	if (!is_there)
		errno = ENOENT;
	return is_there ? 0 : -1;
}

/* Takes out empty parts, `.` and `..`. */
static void clean_path(char *path)
{
	char *to = path;

	for (const char *from = path; *from;) {
		size_t size = strcspn(from, "/");

		if (size == 2 && from[0] == '.' && from[1] == '.') {
			while (to > path && *--to != '/')
				;
		} else if (size > 0 && !(size == 1 && from[0] == '.')) {
			if (to > path)
				*to++ = '/';
			memmove(to, from, size);
			to += size;
		}
		from += size;
		while (*from == '/')
			from++;
	}
	*to = 0;
}
