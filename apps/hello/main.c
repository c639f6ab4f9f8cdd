#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uk/config.h>
#if CONFIG_LIBVFSCORE
#include <fcntl.h>
#include <unistd.h>
#endif

/* Prints a file of the root file system. */
static int show(const char *path)
{
#if CONFIG_LIBVFSCORE
	char text[128];
	ssize_t size;
	int file = open(path, O_RDONLY);

	if (file < 0) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((size = read(file, text, sizeof(text))) > 0)
		printf("%.*s", (int)size, text);
	close(file);
#else
	printf("%s: this kernel has no files\n", path);
#endif
	return 0;
}

int main(int argc, char *argv[])
{
	printf("Hello from a unikernel!\n");
	for (int index = 1; index < argc; index++)
		printf("argument %d: %s\n", index, argv[index]);
	return show("/etc/motd");
}
