/* The numbers of the two sockets that there can be. */
#pragma once

#define LISTENING_SOCKET 64
#define CONNECTED_SOCKET 65
