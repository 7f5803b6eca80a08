/* Packets received through a TPACKET_V3 ring, where they are. */
#include "packet.h"

#define BLOCKS 256
#define BLOCK_SIZE 262144

int main(void) {
  int version = TPACKET_V3;
  struct tpacket_req3 request = {.tp_block_size = BLOCK_SIZE,
                                 .tp_block_nr = BLOCKS,
                                 .tp_frame_size = BLOCK_SIZE,
                                 .tp_frame_nr = BLOCKS,
                                 .tp_retire_blk_tov = 1000};
  at_most(60);
  int fd = packet_socket("vb", ETH_P_ALL);
  check(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version), "PACKET_VERSION");
  check(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request), "PACKET_RX_RING");
  unsigned char* memory = mmap(NULL, (size_t)BLOCKS * BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) fail("mmap");
  here();
  struct meter meter = meter_new(64);
  uint64_t bytes = 0, others = 0;
  for (unsigned current = 0;; current = (current + 1) % BLOCKS) {
    struct tpacket_block_desc* block = (struct tpacket_block_desc*)(memory + (size_t)current * BLOCK_SIZE);
    struct tpacket_hdr_v1* head = &block->hdr.bh1;
    while (!(__atomic_load_n(&head->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
      struct pollfd p = {.fd = fd, .events = POLLIN};
      check(poll(&p, 1, -1), "poll");
    }
    unsigned count = head->num_pkts;
    struct tpacket3_hdr* packet = (struct tpacket3_hdr*)((unsigned char*)block + head->offset_to_first_pkt);
    for (unsigned i = 0; i < count; i++) {
      const unsigned char* data = (unsigned char*)packet + packet->tp_mac;
      bytes += packet->tp_snaplen;
      if (data[12] != 0x88 || data[13] != 0xb5) others++;
      packet = (struct tpacket3_hdr*)((unsigned char*)packet + packet->tp_next_offset);
    }
    __atomic_store_n(&head->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    if (meter_add(&meter, count)) return bytes == 0 || others > 0;
  }
}
