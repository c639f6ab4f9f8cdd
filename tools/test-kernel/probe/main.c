/* Does what its arguments say, one after the other, so that a test can make a guest do anything. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if CONFIG_LIBPOSIX_SOCKET
#include <arpa/inet.h>
#include <sys/socket.h>
#endif

static void fail(const char *path)
{
	printf("%s: %s\n", path, strerror(errno));
	exit(1);
}

static void show_file(const char *path)
{
	char part[256];
	ssize_t size;
	int file = open(path, O_RDONLY);

	if (file < 0)
		fail(path);
	while ((size = read(file, part, sizeof(part))) > 0)
		write(1, part, size);
	close(file);
}

static void write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (file < 0 || write(file, text, strlen(text)) < 0)
		fail(path);
	close(file);
}

static void list_folder(const char *path)
{
	struct dirent *entry;
	DIR *folder = opendir(path);

	if (folder == NULL)
		fail(path);
	while ((entry = readdir(folder)) != NULL)
		printf("%s%s\n", entry->d_name, entry->d_type == DT_DIR ? "/" : "");
	closedir(folder);
}

#if CONFIG_LIBPOSIX_SOCKET
/* Answers each connection: to HTTP with `text` (404 for paths other than /), to anything else with what it sent. */
static void serve(int port, const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0)
		fail("socket");
	bind(listener, (struct sockaddr *)&address, sizeof(address));
	listen(listener, 8);
	printf("listening on port %d\n", port);
	for (;;) {
		char request[1024], answer[1024];
		int connection = accept(listener, NULL, NULL);
		ssize_t size = recv(connection, request, sizeof(request) - 1, 0);

		if (size > 4 && strncmp(request, "GET ", 4) == 0) {
			const char *status = strncmp(request + 4, "/ ", 2) == 0 ? "200 OK" : "404 Not Found";

			size = snprintf(answer, sizeof(answer),
					"HTTP/1.1 %s\r\nContent-Length: %lu\r\nConnection: close\r\n\r\n%s",
					status, (unsigned long)strlen(text), text);
			send(connection, answer, size, 0);
		} else if (size > 0) {
			send(connection, request, size, 0);
		}
		shutdown(connection, SHUT_RDWR);
		if (size > 4 && strncmp(request, "quit", 4) == 0)
			return;
	}
}
#endif

static void echo_lines(void)
{
	char line[256];
	ssize_t size;

	while ((size = read(0, line, sizeof(line) - 1)) > 1) {
		line[size] = 0;
		printf("echo: %s", line);
	}
}

int main(int argc, char *argv[])
{
	for (int index = 1; index < argc; index++) {
		const char *word = argv[index], *value = index + 1 < argc ? argv[index + 1] : "";

		if (strcmp(word, "arguments") == 0) {
			for (int each = 0; each < argc; each++)
				printf("argv[%d]=<%s>\n", each, argv[each]);
			return 0;
		}
		if (strcmp(word, "environment") == 0) {
			for (char **variable = environ; *variable; variable++)
				printf("env <%s>\n", *variable);
		} else if (strcmp(word, "say") == 0) {
			puts(value);
			index++;
		} else if (strcmp(word, "cat") == 0) {
			show_file(value);
			index++;
		} else if (strcmp(word, "write") == 0) {
			write_file(value, index + 2 < argc ? argv[index + 2] : "");
			index += 2;
		} else if (strcmp(word, "list") == 0) {
			list_folder(value);
			index++;
		} else if (strcmp(word, "sleep") == 0) {
			usleep(atoi(value) * 1000);
			index++;
#if CONFIG_LIBPOSIX_SOCKET
		} else if (strcmp(word, "serve") == 0) {
			serve(atoi(value), index + 2 < argc ? argv[index + 2] : "");
			index += 2;
#endif
		} else if (strcmp(word, "echo") == 0) {
			echo_lines();
		} else if (strcmp(word, "exit") == 0) {
			exit(atoi(value));
		} else if (strcmp(word, "abort") == 0) {
			abort();
		} else if (strcmp(word, "fault") == 0) {
			*(volatile int *)strtol("8", NULL, 0) = 1;
		} else if (strcmp(word, "divide") == 0) {
			volatile int zero = 0;

			printf("%d\n", 7 / zero);
		} else if (strcmp(word, "hang") == 0) {
			for (;;)
				;
		} else if (strcmp(word, "halt") == 0) {
			for (;;)
				__asm__ volatile("cli; hlt");
		} else {
			printf("unknown word: %s\n", word);
			return 2;
		}
	}
	return 0;
}
