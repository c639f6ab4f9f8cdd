#include <errno.h>
#include <string.h>
#include "files.h"
#include "message.h"

#define HEADER_SIZE 110
#define FIELD_SIZE 8
#define FIELD_MODE 1
#define FIELD_FILE_SIZE 6
#define FIELD_NAME_SIZE 11
#define TRAILER "TRAILER!!!"

static const char *archive;
static size_t archive_size;

static int mount_checked(void);
static int read_entry(size_t *position, struct file *file);
static uint32_t read_field(const char *header, int field);
static int has_parent(const struct file *file);

int cpio_mount(const char *start, size_t size)
{
	archive = start;
	archive_size = size;

	int error = mount_checked();

	if (error)
		archive_size = 0;
	return error;
}

static int mount_checked(void)
{
	size_t position = 0;
	struct file file;

	for (;;) {
		int error = read_entry(&position, &file);

		if (error) {
			message("ERR", "libukcpio", "Unexpected data at offset %lu", (unsigned long)position);
			return error;
		}
		if (file.type == FILE_NONE)
			return 0;
		if (!has_parent(&file)) {
			message("ERR", "libukcpio", "/%.*s: No such directory", (int)file.name_size, file.name);
			return -ENOENT;
		}
	}
}

struct file cpio_next(size_t *position)
{
	struct file file;

	if (archive_size == 0 || read_entry(position, &file) != 0)
		file.type = FILE_NONE;
	return file;
}

/* Reads the entry at *position and moves behind it; entries of other types than files, folders and links are left
 * out. At the trailer the type is FILE_NONE. */
static int read_entry(size_t *position, struct file *file)
{
	static const enum file_type types[16] = { [4] = FILE_DIRECTORY, [8] = FILE_REGULAR, [10] = FILE_LINK };

	do {
		const char *header = archive + *position;

		if (*position + HEADER_SIZE > archive_size
		    || (strncmp(header, "070701", 6) != 0 && strncmp(header, "070702", 6) != 0))
			return -EINVAL;

		size_t name_size = read_field(header, FIELD_NAME_SIZE);
		size_t data = (*position + HEADER_SIZE + name_size + 3) & ~(size_t)3;

		file->size = read_field(header, FIELD_FILE_SIZE);
		if (name_size == 0 || data > archive_size || file->size > archive_size - data)
			return -EINVAL;
		file->name = header + HEADER_SIZE;
		file->name_size = strnlen(file->name, name_size);
		file->data = archive + data;
		file->type = types[read_field(header, FIELD_MODE) >> 12 & 15];
		*position = (data + file->size + 3) & ~(size_t)3;

		if (strcmp(file->name, TRAILER) == 0) {
			file->type = FILE_NONE;
			return 0;
		}
	} while (file->type == FILE_NONE);

	while (file->name_size > 0 && (*file->name == '/' || (*file->name == '.' && (file->name_size == 1
						|| file->name[1] == '/')))) {
		file->name++;
		file->name_size--;
	}
	while (file->name_size > 0 && file->name[file->name_size - 1] == '/')
		file->name_size--;
	return 0;
}

static uint32_t read_field(const char *header, int field)
{
	uint32_t value = 0;

	for (int index = 0; index < FIELD_SIZE; index++) {
		char digit = header[6 + field * FIELD_SIZE + index];

		value = value << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
	}
	return value;
}

/* Folders must come before what lies in them: nothing creates them. */
static int has_parent(const struct file *file)
{
	size_t parent_size = file->name_size;

	while (parent_size > 0 && file->name[parent_size - 1] != '/')
		parent_size--;
	if (parent_size == 0)
		return 1;
	parent_size--;
	for (size_t position = 0;;) {
		struct file other;

		if (read_entry(&position, &other) != 0 || other.type == FILE_NONE || other.name == file->name)
			return 0;
		if (other.type == FILE_DIRECTORY && other.name_size == parent_size
		    && memcmp(other.name, file->name, parent_size) == 0)
			return 1;
	}
}
