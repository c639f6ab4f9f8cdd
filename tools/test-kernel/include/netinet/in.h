#pragma once
#include <stdint.h>
#include <sys/socket.h>

#define INADDR_ANY 0

struct in_addr {
	uint32_t s_addr;
};

struct sockaddr_in {
	uint16_t sin_family, sin_port;
	struct in_addr sin_addr;
};
