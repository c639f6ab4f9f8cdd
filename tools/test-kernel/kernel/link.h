/* The network card: sends and receives Ethernet frames. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define FRAME_SIZE 1514

/* Gives 0, or a negative error number when there is no card. */
int link_init(void);
const uint8_t *link_address(void);
void link_send(const void *frame, size_t size);
/* Copies a frame that has come and gives its size, or 0. */
size_t link_receive(void *frame);
