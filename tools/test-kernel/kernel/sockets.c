#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "sockets.h"
#include "tcp.h"
#ifdef CONFIG_LIBUKLIBPARAM
#include "parameters.h"
#endif

/* The guest's address in QEMU's own network, unless netdev.ip gives another. */
#define DEFAULT_ADDRESS "10.0.2.15"

static uint32_t own_address(void)
{
#ifdef CONFIG_LIBUKLIBPARAM
	if (parameter_addresses[0])
		return inet_addr(parameter_addresses[0]);
#endif
	return inet_addr(DEFAULT_ADDRESS);
}

int socket(int domain, int type, int protocol)
{
	static int initialised;
	int error = initialised ? 0 : tcp_init(own_address());

	if (domain != AF_INET || type != SOCK_STREAM || protocol != 0)
		error = -EINVAL;
	if (error) {
		errno = -error;
		return -1;
	}
	initialised = 1;
	return LISTENING_SOCKET;
}

int bind(int number, const struct sockaddr *address, socklen_t size)
{
	(void)number;
	(void)size;
	tcp_listen(ntohs(((const struct sockaddr_in *)address)->sin_port));
	return 0;
}

int listen(int number, int backlog)
{
	(void)number;
	(void)backlog;
	return 0;
}

int accept(int number, struct sockaddr *address, socklen_t *size)
{
	(void)number;
	(void)address;
	(void)size;
	tcp_accept();
	return CONNECTED_SOCKET;
}

ssize_t send(int number, const void *data, size_t size, int flags)
{
	(void)number;
	(void)flags;
	tcp_send(data, size);
	return size;
}

ssize_t recv(int number, void *data, size_t size, int flags)
{
	(void)number;
	(void)flags;
	return tcp_receive(data, size);
}

int shutdown(int number, int how)
{
	(void)how;
	if (number == CONNECTED_SOCKET)
		tcp_close();
	return 0;
}

uint32_t inet_addr(const char *text)
{
	uint32_t address = 0;
	int shift = 0;

	for (unsigned int part = 0;; text++) {
		if (*text >= '0' && *text <= '9') {
			part = part * 10 + *text - '0';
			continue;
		}
		address |= part << shift;
		shift += 8;
		part = 0;
		if (*text != '.')
			return address;
	}
}
