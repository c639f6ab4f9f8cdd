/*
 * Stands in for a runtime (Python's, Node.js', nginx', …) in tests without a network. It runs no program: it tells
 * everything that an application hands to its runtime, so that a test can see that all of it arrives.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_PATH 512

/* The file's size and its FNV-1a digest over 32 bits. */
static void tell_file(const char *path)
{
	unsigned char bytes[512];
	unsigned int digest = 2166136261u;
	unsigned long total = 0;
	ssize_t size;
	int file = open(path, O_RDONLY);

	if (file < 0) {
		printf("no file %s\n", path);
		return;
	}
	while ((size = read(file, bytes, sizeof(bytes))) > 0) {
		for (ssize_t index = 0; index < size; index++)
			digest = (digest ^ bytes[index]) * 16777619u;
		total += size;
	}
	close(file);
	printf("file %s: %lu bytes, fnv %x\n", path, total, digest);
}

static void tell_folder(const char *path)
{
	struct dirent *entry;
	DIR *folder = opendir(*path ? path : "/");

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL) {
		char inner[LONGEST_PATH];

		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR)
			tell_folder(inner);
		else
			tell_file(inner);
	}
	closedir(folder);
}

int main(int argc, char *argv[])
{
	const char *more = getenv("STAND_IN_READS");

	printf("The stand-in for a runtime runs no program.\n");
	for (int index = 1; index < argc; index++)
		printf("argument %d: %s\n", index, argv[index]);
	for (char **variable = environ; *variable; variable++)
		printf("environment %s\n", *variable);
	tell_folder("");
	/* A folder of the host cannot be listed here, but read. */
	if (more != NULL)
		tell_file(more);
	return 0;
}
