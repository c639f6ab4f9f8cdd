#include <errno.h>
#include <string.h>
#include "link.h"
#include "virtio.h"

#define NETWORK_CARD 1
#define HEADER_SIZE 10
#define BUFFERS 32

static struct virtio_device card;
static struct virtio_queue incoming, outgoing;
static uint8_t received[BUFFERS][HEADER_SIZE + FRAME_SIZE], sent[HEADER_SIZE + FRAME_SIZE];
static uint8_t address[6];

int link_init(void)
{
	if (virtio_find(&card, NETWORK_CARD, 0) != 0 || virtio_queue_init(&card, &incoming, 0) != 0
	    || virtio_queue_init(&card, &outgoing, 1) != 0)
		return -ENODEV;
	for (size_t index = 0; index < sizeof(address); index++)
		address[index] = virtio_config(&card, index);
	virtio_ready(&card);
	for (int index = 0; index < BUFFERS; index++)
		virtio_put(&card, &incoming, index, received[index], sizeof(received[index]), 1);
	return 0;
}

const uint8_t *link_address(void)
{
	return address;
}

void link_send(const void *frame, size_t size)
{
	uint32_t ignored;

	memset(sent, 0, HEADER_SIZE);
	memcpy(sent + HEADER_SIZE, frame, size);
	virtio_put(&card, &outgoing, 0, sent, HEADER_SIZE + size, 0);
	while (virtio_take(&outgoing, &ignored) < 0)
		;
}

size_t link_receive(void *frame)
{
	uint32_t size;
	int entry = virtio_take(&incoming, &size);

	if (entry < 0)
		return 0;
	size -= HEADER_SIZE;
	memcpy(frame, received[entry] + HEADER_SIZE, size);
	virtio_put(&card, &incoming, entry, received[entry], sizeof(received[entry]), 1);
	return size;
}
