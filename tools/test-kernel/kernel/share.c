#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include "share.h"
#include "virtio.h"

#define DEVICE_9P 9
#define MESSAGE_SIZE 8192
#define HEADER_SIZE 7
#define DATA_SIZE 4096
#define NO_FID 0xffffffffu
#define ROOT_FID 0
#define FIRST_FID 1
#define MOST_NAMES 16

enum { LERROR = 7, LOPEN = 12, LCREATE = 14, VERSION = 100, ATTACH = 104, WALK = 110, READ = 116, WRITE = 118, CLUNK = 120 };

static struct virtio_device device;
static struct virtio_queue queue;
static uint8_t request[MESSAGE_SIZE], answer[MESSAGE_SIZE];
static size_t request_size;
static char mount_path[256];
static struct { int open; uint64_t position; } files[MOST_SHARED_FILES];

static void begin(int type);
static void put(uint64_t value, int bytes);
static void put_text(const char *text, size_t size);
static int call(void);
static uint32_t get32(size_t offset);
static int find_device(const char *tag);
static int walk(uint32_t fid, const char *path, size_t size);
static void clunk(uint32_t fid);

int share_mount(const char *tag, const char *path)
{
	if (find_device(tag) != 0 || virtio_queue_init(&device, &queue, 0) != 0)
		return -ENODEV;
	virtio_ready(&device);
	strncpy(mount_path, path, sizeof(mount_path) - 1);
	begin(VERSION);
	put(MESSAGE_SIZE, 4);
	put_text("9P2000.L", 8);

	int error = call();

	if (error)
		return error;
	begin(ATTACH);
	put(ROOT_FID, 4);
	put(NO_FID, 4);
	put_text("root", 4);
	put_text("", 0);
	put(0, 4);
	return call();
}

const char *share_path(const char *path)
{
	size_t size = strlen(mount_path);

	if (size == 0 || strncmp(path, mount_path, size) != 0 || (path[size] != '/' && path[size] != 0))
		return NULL;
	return path + size;
}

int share_open(const char *path, int flags)
{
	int index = 0;

	while (index < MOST_SHARED_FILES && files[index].open)
		index++;
	if (index == MOST_SHARED_FILES)
		return -EMFILE;

	uint32_t fid = FIRST_FID + index;
	int error = walk(fid, path, strlen(path));

	if (error == 0) {
		begin(LOPEN);
		put(fid, 4);
		put(flags & ~O_CREAT, 4);
		error = call();
	} else if (error == -ENOENT && (flags & O_CREAT)) {
		const char *name = strrchr(path, '/') + 1;

		error = walk(fid, path, name - path);
		if (error)
			return error;
		begin(LCREATE);
		put(fid, 4);
		put_text(name, strlen(name));
		put(flags, 4);
		put(0644, 4);
		put(0, 4);
		error = call();
	} else {
		return error;
	}
	if (error) {
		clunk(fid);
		return error;
	}
	files[index].open = 1;
	files[index].position = 0;
	return SHARED_FILES + index;
}

ssize_t share_read(int number, void *buffer, size_t size)
{
	int index = number - SHARED_FILES;

	begin(READ);
	put(FIRST_FID + index, 4);
	put(files[index].position, 8);
	put(size < DATA_SIZE ? size : DATA_SIZE, 4);

	int error = call();

	if (error)
		return error;
	size = get32(HEADER_SIZE);
	memcpy(buffer, answer + HEADER_SIZE + 4, size);
	files[index].position += size;
	return size;
}

ssize_t share_write(int number, const void *buffer, size_t size)
{
	int index = number - SHARED_FILES;

	if (size > DATA_SIZE)
		size = DATA_SIZE;
	begin(WRITE);
	put(FIRST_FID + index, 4);
	put(files[index].position, 8);
	put(size, 4);
	memcpy(request + request_size, buffer, size);
	request_size += size;

	int error = call();

	if (error)
		return error;
	files[index].position += get32(HEADER_SIZE);
	return get32(HEADER_SIZE);
}

int share_close(int number)
{
	int index = number - SHARED_FILES;

	clunk(FIRST_FID + index);
	files[index].open = 0;
	return 0;
}

static void clunk(uint32_t fid)
{
	begin(CLUNK);
	put(fid, 4);
	call();
}

/* Makes `fid` stand for a path below the share. */
static int walk(uint32_t fid, const char *path, size_t size)
{
	const char *end = path + size;
	int count = 0;

	begin(WALK);
	put(ROOT_FID, 4);
	put(fid, 4);

	size_t count_at = request_size;

	put(0, 2);
	while (path < end && count < MOST_NAMES) {
		size_t part = strcspn(path, "/");

		if (path + part > end)
			part = end - path;
		if (part > 0) {
			put_text(path, part);
			count++;
		}
		path += part + (path + part < end);
	}
	request[count_at] = count;

	int error = call();

	if (error)
		return error;
	/* An answer with fewer steps than asked for means that the next one is not there. */
	return answer[HEADER_SIZE] == count ? 0 : -ENOENT;
}

static int find_device(const char *tag)
{
	for (int index = 0; virtio_find(&device, DEVICE_9P, index) == 0; index++) {
		size_t size = virtio_config(&device, 0) | virtio_config(&device, 1) << 8, same = 0;

		while (same < size && tag[same] && virtio_config(&device, 2 + same) == (uint8_t)tag[same])
			same++;
		if (same == size && tag[same] == 0)
			return 0;
	}
	return -1;
}

static void begin(int type)
{
	request_size = 4;
	put(type, 1);
	put(0, 2);
}

static void put(uint64_t value, int bytes)
{
	for (; bytes > 0; bytes--, value >>= 8)
		request[request_size++] = value;
}

static void put_text(const char *text, size_t size)
{
	put(size, 2);
	memcpy(request + request_size, text, size);
	request_size += size;
}

/* Sends the request and waits for its answer. */
static int call(void)
{
	uint32_t size = request_size;

	memcpy(request, &size, sizeof(size));
	virtio_exchange(&device, &queue, request, request_size, answer, sizeof(answer));
	return answer[4] == LERROR ? -(int)get32(HEADER_SIZE) : 0;
}

static uint32_t get32(size_t offset)
{
	uint32_t value;

	memcpy(&value, answer + offset, sizeof(value));
	return value;
}
