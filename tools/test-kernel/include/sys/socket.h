/* One listening TCP socket and one connection at a time. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

#define AF_INET 2
#define SOCK_STREAM 1
#define SHUT_RDWR 2

typedef uint32_t socklen_t;

struct sockaddr {
	uint16_t sa_family;
};

#ifdef __cplusplus
extern "C" {
#endif

int socket(int domain, int type, int protocol);
int bind(int number, const struct sockaddr *address, socklen_t size);
int listen(int number, int backlog);
int accept(int number, struct sockaddr *address, socklen_t *size);
ssize_t send(int number, const void *data, size_t size, int flags);
ssize_t recv(int number, void *data, size_t size, int flags);
int shutdown(int number, int how);

#ifdef __cplusplus
}
#endif
