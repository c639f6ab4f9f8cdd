#include "machine.h"
#include "virtio.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define VENDOR_VIRTIO 0x1af4

enum { GUEST_FEATURES = 4, QUEUE_ADDRESS = 8, QUEUE_SIZE = 12, QUEUE_SELECT = 14, QUEUE_NOTIFY = 16, STATUS = 18, CONFIG = 20 };
enum { ACKNOWLEDGED = 1, DRIVER = 2, DRIVER_READY = 4 };
enum { HAS_NEXT = 1, DEVICE_WRITES = 2 };

struct descriptor {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};

struct available {
	uint16_t flags, index, entries[];
};

struct used {
	uint16_t flags, index;
	struct { uint32_t entry, size; } entries[];
};

static uint32_t pci_read(int slot, int offset)
{
	out32(PCI_ADDRESS, 0x80000000u | slot << 11 | offset);
	return in32(PCI_DATA);
}

int virtio_find(struct virtio_device *device, uint16_t kind, int index)
{
	for (int slot = 0; slot < 32; slot++) {
		if ((pci_read(slot, 0) & 0xffff) != VENDOR_VIRTIO || pci_read(slot, 0x2c) >> 16 != kind
		    || index-- > 0)
			continue;

		uint32_t command = pci_read(slot, 4);

		out32(PCI_DATA, command | 0x5); /* ports, and memory access by itself */
		device->port = pci_read(slot, 0x10) & ~3u;
		out8(device->port + STATUS, 0);
		out8(device->port + STATUS, ACKNOWLEDGED | DRIVER);
		out32(device->port + GUEST_FEATURES, 0);
		return 0;
	}
	return -1;
}

static struct descriptor *descriptors(struct virtio_queue *queue)
{
	return (struct descriptor *)queue->memory;
}

static struct available *available(struct virtio_queue *queue)
{
	return (struct available *)(queue->memory + sizeof(struct descriptor) * queue->size);
}

static struct used *used(struct virtio_queue *queue)
{
	size_t end = sizeof(struct descriptor) * queue->size + 2 * (3 + queue->size);

	return (struct used *)(queue->memory + ((end + 4095) & ~(size_t)4095));
}

int virtio_queue_init(struct virtio_device *device, struct virtio_queue *queue, uint16_t number)
{
	out16(device->port + QUEUE_SELECT, number);
	queue->number = number;
	queue->size = in16(device->port + QUEUE_SIZE);
	if (queue->size == 0 || queue->size > QUEUE_LIMIT)
		return -1;
	out32(device->port + QUEUE_ADDRESS, (uintptr_t)queue->memory >> 12);
	return 0;
}

void virtio_ready(struct virtio_device *device)
{
	out8(device->port + STATUS, ACKNOWLEDGED | DRIVER | DRIVER_READY);
}

uint8_t virtio_config(struct virtio_device *device, int offset)
{
	return in8(device->port + CONFIG + offset);
}

static void offer(struct virtio_device *device, struct virtio_queue *queue, uint16_t entry)
{
	available(queue)->entries[queue->next % queue->size] = entry;
	__sync_synchronize();
	available(queue)->index = ++queue->next;
	__sync_synchronize();
	out16(device->port + QUEUE_NOTIFY, queue->number);
}

void virtio_put(struct virtio_device *device, struct virtio_queue *queue, uint16_t entry, void *buffer, uint32_t size,
		int device_writes)
{
	descriptors(queue)[entry] = (struct descriptor){
		.address = (uintptr_t)buffer, .size = size, .flags = device_writes ? DEVICE_WRITES : 0,
	};
	offer(device, queue, entry);
}

void virtio_exchange(struct virtio_device *device, struct virtio_queue *queue, void *question, uint32_t question_size,
		     void *answer, uint32_t answer_size)
{
	uint32_t ignored;

	descriptors(queue)[0] = (struct descriptor){
		.address = (uintptr_t)question, .size = question_size, .flags = HAS_NEXT, .next = 1,
	};
	descriptors(queue)[1] = (struct descriptor){
		.address = (uintptr_t)answer, .size = answer_size, .flags = DEVICE_WRITES,
	};
	offer(device, queue, 0);
	while (virtio_take(queue, &ignored) < 0)
		__asm__ volatile("pause");
	__sync_synchronize();
}

int virtio_take(struct virtio_queue *queue, uint32_t *size)
{
	if (*(volatile uint16_t *)&used(queue)->index == queue->taken)
		return -1;
	__sync_synchronize();

	int index = queue->taken++ % queue->size;

	*size = used(queue)->entries[index].size;
	return used(queue)->entries[index].entry;
}
