#include <arpa/inet.h>
#include <string.h>
#include "link.h"
#include "tcp.h"

#define TYPE_ARP 0x0806
#define TYPE_IP 0x0800
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define PROTOCOL_TCP 6
#define SEGMENT_SIZE 1460
#define BUFFER_SIZE 16384
#define MOST_WAITING 16
#define MOST_ON_THE_WAY 16384

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct ethernet {
	uint8_t to[6], from[6];
	uint16_t type;
} __attribute__((packed));

struct arp {
	uint16_t hardware, protocol;
	uint8_t hardware_size, protocol_size;
	uint16_t operation;
	uint8_t sender_hardware[6];
	uint32_t sender;
	uint8_t target_hardware[6];
	uint32_t target;
} __attribute__((packed));

struct ip {
	uint8_t version, service;
	uint16_t size, id, fragment;
	uint8_t hops, protocol;
	uint16_t checksum;
	uint32_t from, to;
} __attribute__((packed));

struct tcp {
	uint16_t from, to;
	uint32_t sequence, acknowledged;
	uint8_t offset, flags;
	uint16_t window, checksum, urgent;
} __attribute__((packed));

struct segment {
	struct ethernet ethernet;
	struct ip ip;
	struct tcp tcp;
	uint8_t data[SEGMENT_SIZE];
} __attribute__((packed));

/* The other side of a connection. */
struct peer {
	uint8_t hardware[6];
	uint32_t address, sequence;
	uint16_t port;
};

static uint32_t own_address;
static uint16_t own_port;
static struct peer waiting[MOST_WAITING];
static int waiting_count;

static struct {
	struct peer peer;
	int open, peer_ended;
	uint32_t next, acknowledged, expected; /* sequence numbers: ours to send, ours that came, theirs to come */
	uint8_t data[BUFFER_SIZE];
	size_t size;
} connection;

static void poll(void);
static void take_arp(const struct ethernet *frame);
static void take_segment(const struct segment *segment, size_t size);
static void answer_connection(const struct peer *peer);
static void send_segment(int flags, const void *data, size_t size);
static uint16_t checksum(uint32_t sum, const void *data, size_t size);

int tcp_init(uint32_t address)
{
	own_address = address;
	return link_init();
}

void tcp_listen(uint16_t port)
{
	own_port = htons(port);
}

void tcp_accept(void)
{
	while (waiting_count == 0)
		poll();

	struct peer peer = waiting[0];

	memmove(waiting, waiting + 1, --waiting_count * sizeof(*waiting));
	answer_connection(&peer);
}

size_t tcp_receive(void *data, size_t size)
{
	while (connection.open && connection.size == 0 && !connection.peer_ended)
		poll();
	if (size > connection.size)
		size = connection.size;
	memcpy(data, connection.data, size);
	connection.size -= size;
	memmove(connection.data, connection.data + size, connection.size);
	if (size > 0 && connection.open)
		send_segment(ACK, NULL, 0); /* tells that there is room again */
	return size;
}

void tcp_send(const void *data, size_t size)
{
	const uint8_t *from = data;

	while (size > 0 && connection.open) {
		size_t part = size < SEGMENT_SIZE ? size : SEGMENT_SIZE;

		send_segment(ACK | PSH, from, part);
		from += part;
		size -= part;
		while (connection.open && connection.next - connection.acknowledged > MOST_ON_THE_WAY)
			poll();
	}
}

void tcp_close(void)
{
	if (!connection.open)
		return;
	send_segment(ACK | FIN, NULL, 0);
	/* Until the other side has all of it, so that the machine may end then. */
	while (connection.open && (connection.acknowledged != connection.next || !connection.peer_ended)) {
		connection.size = 0;
		poll();
	}
	connection.open = 0;
}

static void poll(void)
{
	static struct segment frame;
	size_t size = link_receive(&frame);

	if (size < sizeof(struct ethernet))
		return;
	if (frame.ethernet.type == htons(TYPE_ARP))
		take_arp(&frame.ethernet);
	else if (frame.ethernet.type == htons(TYPE_IP) && frame.ip.protocol == PROTOCOL_TCP && frame.ip.to == own_address)
		take_segment(&frame, size);
}

static void take_arp(const struct ethernet *frame)
{
	const struct arp *question = (const struct arp *)(frame + 1);
	struct { struct ethernet ethernet; struct arp arp; } __attribute__((packed)) answer;

	if (question->operation != htons(ARP_REQUEST) || question->target != own_address)
		return;
	memcpy(answer.ethernet.to, frame->from, 6);
	memcpy(answer.ethernet.from, link_address(), 6);
	answer.ethernet.type = frame->type;
	answer.arp = *question;
	answer.arp.operation = htons(ARP_REPLY);
	memcpy(answer.arp.target_hardware, question->sender_hardware, 6);
	answer.arp.target = question->sender;
	memcpy(answer.arp.sender_hardware, link_address(), 6);
	answer.arp.sender = own_address;
	link_send(&answer, sizeof(answer));
}

static void take_segment(const struct segment *segment, size_t frame_size)
{
	const struct tcp *tcp = &segment->tcp;
	size_t header = (tcp->offset >> 4) * 4, before = sizeof(struct ethernet) + sizeof(struct ip) + header;
	size_t size = ntohs(segment->ip.size) + sizeof(struct ethernet);

	if (size > frame_size || before > size || tcp->to != own_port)
		return;
	if (tcp->flags & SYN) {
		struct peer peer = { .address = segment->ip.from, .port = tcp->from, .sequence = ntohl(tcp->sequence) };

		memcpy(peer.hardware, segment->ethernet.from, 6);
		for (int index = 0; index < waiting_count; index++)
			if (waiting[index].port == peer.port)
				return;
		if (waiting_count < MOST_WAITING)
			waiting[waiting_count++] = peer;
		return;
	}
	if (!connection.open || tcp->from != connection.peer.port || segment->ip.from != connection.peer.address)
		return;
	if (tcp->flags & RST) {
		connection.open = 0;
		return;
	}
	if (tcp->flags & ACK)
		connection.acknowledged = ntohl(tcp->acknowledged);

	size_t data = size - before;

	if (ntohl(tcp->sequence) != connection.expected || data > sizeof(connection.data) - connection.size)
		return;
	memcpy(connection.data + connection.size, (const uint8_t *)segment + before, data);
	connection.size += data;
	connection.expected += data;
	if (tcp->flags & FIN) {
		connection.peer_ended = 1;
		connection.expected++;
	}
	if (data > 0 || (tcp->flags & FIN))
		send_segment(ACK, NULL, 0);
}

static void answer_connection(const struct peer *peer)
{
	connection.peer = *peer;
	connection.open = 1;
	connection.peer_ended = 0;
	connection.size = 0;
	connection.expected = peer->sequence + 1;
	connection.next = connection.acknowledged = 1;
	send_segment(SYN | ACK, NULL, 0);
}

static void send_segment(int flags, const void *data, size_t size)
{
	static struct segment segment;
	size_t tcp_size = sizeof(struct tcp) + size;
	struct { uint32_t from, to; uint8_t zero, protocol; uint16_t size; } __attribute__((packed)) pseudo = {
		own_address, connection.peer.address, 0, PROTOCOL_TCP, htons(tcp_size),
	};

	memcpy(segment.ethernet.to, connection.peer.hardware, 6);
	memcpy(segment.ethernet.from, link_address(), 6);
	segment.ethernet.type = htons(TYPE_IP);
	segment.ip = (struct ip){
		.version = 0x45, .size = htons(sizeof(struct ip) + tcp_size), .hops = 64, .protocol = PROTOCOL_TCP,
		.from = own_address, .to = connection.peer.address,
	};
	segment.ip.checksum = checksum(0, &segment.ip, sizeof(segment.ip));
	segment.tcp = (struct tcp){
		.from = own_port, .to = connection.peer.port, .sequence = htonl(connection.next),
		.acknowledged = htonl(connection.expected), .offset = sizeof(struct tcp) / 4 << 4, .flags = flags,
		.window = htons(sizeof(connection.data) - connection.size),
	};
	if (size > 0)
		memcpy(segment.data, data, size);

	uint32_t sum = (uint16_t)~checksum(0, &pseudo, sizeof(pseudo));

	segment.tcp.checksum = checksum(sum, &segment.tcp, tcp_size);
	connection.next += size + ((flags & (SYN | FIN)) ? 1 : 0);
	link_send(&segment, sizeof(struct ethernet) + sizeof(struct ip) + tcp_size);
}

static uint16_t checksum(uint32_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t index = 0; index < size; index++)
		sum += index % 2 ? bytes[index] << 8 : bytes[index];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}
