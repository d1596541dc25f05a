// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One program for many names, all of which are links to it. */
static bool is_applet(const char *path)
{
	char *real = realpath(path, NULL);
	const char *slash = real ? strrchr(real, '/') : NULL;
	bool applet = slash && (!strncmp(slash + 1, "busybox", 7) || !strncmp(slash + 1, "toybox", 6));

	free(real);
	return applet;
}

static bool is_program(char *path, size_t size, const char *dir, size_t len, const char *name)
{
	struct stat st;

	/* Directories can be executed, too. */
	return snprintf(path, size, "%.*s/%s", (int)len, dir, name) < (int)size && !access(path, X_OK) &&
	       !stat(path, &st) && S_ISREG(st.st_mode) && !is_applet(path);
}

bool program_find(const char *name, const char *const *more, char *path, size_t size)
{
	const char *dirs = getenv("PATH");

	for (dirs = dirs ? dirs : ""; *dirs; dirs += strspn(dirs, ":")) {
		size_t len = strcspn(dirs, ":");

		if (is_program(path, size, dirs, len, name))
			return true;
		dirs += len;
	}
	for (; *more; more++)
		if (is_program(path, size, *more, strlen(*more), name))
			return true;
	return false;
}
