/* A server's side of TCP over IPv4, one connection at a time; others wait. Nothing is sent twice: the network is QEMU's
 * own and loses nothing. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* `address` is the guest's, in the order of bytes on the wire. Gives 0 or a negative error number. */
int tcp_init(uint32_t address);
void tcp_listen(uint16_t port);
/* Waits for a connection and accepts it. */
void tcp_accept(void);
/* Waits for data; gives how much it is, 0 when the other side has ended. */
size_t tcp_receive(void *data, size_t size);
void tcp_send(const void *data, size_t size);
void tcp_close(void);
