// The only program of a virtual machine: loads the modules in /modules, in the order of their names, and speaks to
// the host as guest.test.ts wants it. What it prints is the machine's console.
#include <dirent.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void end(const char* what) {
  printf("guest: %s: %m\n", what);
  fflush(stdout);
  reboot(RB_AUTOBOOT);
  exit(1);
}

static void load_modules(void) {
  struct dirent** names;
  const int count = scandir("/modules", &names, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    if (names[i]->d_name[0] == '.') continue;
    char path[300];
    snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
    const int fd = open(path, O_RDONLY);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0) printf("guest: %s: %m\n", path);
    close(fd);
  }
}

static int open_socket(int type) {
  const int fd = socket(AF_VSOCK, type, 0);
  if (fd < 0) end("socket");
  return fd;
}

static int connect_to_host(int type, unsigned port) {
  const int fd = open_socket(type);
  const struct sockaddr_vm host = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port};
  if (connect(fd, (const struct sockaddr*)&host, sizeof(host)) != 0) end("connect");
  return fd;
}

int main(void) {
  mount("dev", "/dev", "devtmpfs", 0, "");
  load_modules();

  unsigned cid = 0;
  if (ioctl(open("/dev/vsock", O_RDONLY), IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid) != 0) end("the local CID");
  const int server = open_socket(SOCK_STREAM);
  const struct sockaddr_vm any = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = 9200};
  if (bind(server, (const struct sockaddr*)&any, sizeof(any)) != 0 || listen(server, 1) != 0) end("listen");

  const int stream = connect_to_host(SOCK_STREAM, 9100);
  dprintf(stream, "I am %u\n", cid);
  char data[4096];
  const ssize_t first = read(stream, data, sizeof(data));
  if (first < 0) end("read");
  write(stream, data, first);

  const int messages = connect_to_host(SOCK_SEQPACKET, 9101);
  send(messages, "one", 3, MSG_EOR);
  send(messages, "three", 5, MSG_EOR);

  const int peer = accept(server, NULL, NULL);
  if (peer < 0) end("accept");
  for (ssize_t count; (count = read(peer, data, sizeof(data))) > 0;) write(peer, data, count);
  close(peer);

  // the machine goes while a connection is open
  read(stream, data, sizeof(data));
  end("over");
}
