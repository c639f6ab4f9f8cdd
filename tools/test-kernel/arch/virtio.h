/* Virtio devices on PCI by the legacy interface (virtio 0.9.5), polled. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The most entries that a queue may have, and the memory that it then takes. */
#define QUEUE_LIMIT 256
#define QUEUE_BYTES 12288

struct virtio_queue {
	uint8_t memory[QUEUE_BYTES] __attribute__((aligned(4096)));
	uint16_t size, number, next, taken;
};

struct virtio_device {
	uint16_t port;
};

/* Finds a device of a kind (1 is a network card, 9 a share), the index-th one, and resets it. Gives 0, or -1 when there
 * is none. */
int virtio_find(struct virtio_device *device, uint16_t kind, int index);
/* Gives 0, or -1 when the queue is larger than QUEUE_LIMIT. */
int virtio_queue_init(struct virtio_device *device, struct virtio_queue *queue, uint16_t number);
void virtio_ready(struct virtio_device *device);
uint8_t virtio_config(struct virtio_device *device, int offset);

/* Puts a buffer into the queue; `entry` is what virtio_take gives for it. */
void virtio_put(struct virtio_device *device, struct virtio_queue *queue, uint16_t entry, void *buffer, uint32_t size,
		int device_writes);
/* Gives the device a question and waits until it has written its answer. */
void virtio_exchange(struct virtio_device *device, struct virtio_queue *queue, void *question, uint32_t question_size,
		     void *answer, uint32_t answer_size);
/* Takes a buffer that the device is done with: its entry, or -1; *size is how much the device wrote. */
int virtio_take(struct virtio_queue *queue, uint32_t *size);
