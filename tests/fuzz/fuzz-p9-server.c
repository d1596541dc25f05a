// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 9P server with a hostile guest: the input is a list of messages, each behind the le16 length of what
 * follows it. What it serves may be changed, but never what lies beside it, and no answer is longer than
 * its room.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lkvm/byteorder.h"
#include "lkvm/log.h"
#include "lkvm/p9-server.h"

#define MAX_MESSAGES 64
#define ROOM         16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct p9_server *server;
static char base[] = "/tmp/lkvm-fuzz-p9-XXXXXX";
static struct stat beside;
static int dir = -1; /* base; the current directory is the fuzzer's */

/* Whatever the guest has made of that name stays. */
static void put_file(const char *name, const char *text)
{
	int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY, 0644);

	if (fd >= 0 ? write(fd, text, strlen(text)) < 0 : errno != EEXIST)
		abort();
	if (fd >= 0)
		close(fd);
}

static void clean_up(void)
{
	execl("/bin/rm", "rm", "-rf", base, (char *)NULL);
}

static void setup(void)
{
	char path[64];

	log_set_level(LOG_ERROR);
	if (!mkdtemp(base) || atexit(clean_up))
		abort();
	snprintf(path, sizeof(path), "%s/export", base);
	dir = open(base, O_RDONLY | O_DIRECTORY);
	if (dir < 0 || mkdir(path, 0755) || p9_server_create(&server, "--9p", path, false))
		abort();
	put_file("beside", "untouched");
	if (fstatat(dir, "beside", &beside, 0))
		abort();
}

/* What most inputs would have to find out first: a session with fid 0, and some files. */
static void begin(void)
{
	static const uint8_t version[] = "\x15\0\0\0\x64\xff\xff\0\x10\0\0\x08\0" "9P2000.L";
	static const uint8_t attach[] = "\x17\0\0\0\x68\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0";
	uint8_t answer[64];

	/* Those that are there already stay as they are. */
	if (!mkdirat(dir, "export/d", 0755) && mkfifoat(dir, "export/d/p", 0600))
		abort();
	if (!symlinkat("../beside", dir, "export/l"))
		put_file("export/f", "text");
	p9_server_reset(server);
	if (!p9_server_answer(server, version, sizeof(version) - 1, answer, sizeof(answer)) || answer[4] != 101 ||
	    !p9_server_answer(server, attach, sizeof(attach) - 1, answer, sizeof(answer)) || answer[4] != 105)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t answer[ROOM + 16];
	struct stat now;

	if (!server)
		setup();
	begin();
	for (unsigned int i = 0; i < MAX_MESSAGES && size >= 2; i++) {
		size_t len = MIN((size_t)get_le16(data), size - 2);
		size_t room = ROOM - i * 100, n;
		uint8_t *message = malloc(len + 1); /* so that reading behind it is found */

		if (!message)
			abort();
		memcpy(message, data + 2, len);
		memset(answer + room, 0xaa, 16);
		n = p9_server_answer(server, message, len, answer, room);
		if (n > room || (n && (n < P9_HEADER_BYTES || get_le32(answer) != n)))
			abort();
		for (int k = 0; k < 16; k++)
			if (answer[room + (size_t)k] != 0xaa)
				abort();
		free(message);
		data += 2 + len;
		size -= 2 + len;
	}
	if (fstatat(dir, "beside", &now, AT_SYMLINK_NOFOLLOW) || now.st_size != beside.st_size ||
	    now.st_mode != beside.st_mode || now.st_mtime != beside.st_mtime || now.st_nlink != 1)
		abort();
	return 0;
}
