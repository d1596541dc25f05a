// SPDX-License-Identifier: GPL-2.0-only
#include "lkvm/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

/* Writes "+a" for start, "-a" for stop, "~a" for destroy of device "a", "*a" for freeze and "=a" for thaw. */
static char trace[512];

static void note(char what, const void *dev)
{
	size_t len = strlen(trace);

	snprintf(trace + len, sizeof(trace) - len, "%c%s", what, (const char *)dev);
}

static int dev_start(void *dev)
{
	note('+', dev);
	return 0;
}

static int dev_start_fails(void *dev)
{
	note('!', dev);
	return -EIO;
}

static void dev_stop(void *dev)
{
	note('-', dev);
}

static void dev_destroy(void *dev)
{
	note('~', dev);
}

static bool dev_freeze(void *dev)
{
	note('*', dev);
	return true;
}

static bool dev_is_busy(void *dev)
{
	note('?', dev);
	return false;
}

static void dev_thaw(void *dev)
{
	note('=', dev);
}

static const struct device_ops all_ops = { .start = dev_start, .stop = dev_stop, .destroy = dev_destroy };
static const struct device_ops failing_ops = { .start = dev_start_fails, .stop = dev_stop, .destroy = dev_destroy };
static const struct device_ops frozen_ops = { .freeze = dev_freeze, .thaw = dev_thaw };
static const struct device_ops busy_ops = { .freeze = dev_is_busy, .thaw = dev_thaw };
static const struct device_ops no_ops = { 0 };

static char a[] = "a", b[] = "b", c[] = "c";

static void test_order(void)
{
	struct device_list list = { 0 };

	trace[0] = '\0';
	CHECK_EQ(device_list_add(&list, a, &all_ops, a), 0);
	CHECK_EQ(device_list_add(&list, "none", &no_ops, NULL), 0);
	CHECK_EQ(device_list_add(&list, b, &all_ops, b), 0);
	CHECK_EQ(device_list_start(&list), 0);
	device_list_stop(&list);
	device_list_stop(&list);
	CHECK_EQ(device_list_start(&list), 0);
	device_list_destroy(&list);
	CHECK_STR(trace, "+a+b-b-a+a+b-b-a~b~a");
	device_list_destroy(&list);
	CHECK_STR(trace, "+a+b-b-a+a+b-b-a~b~a");
}

static void test_freeze(void)
{
	struct device_list list = { 0 };

	trace[0] = '\0';
	CHECK_EQ(device_list_add(&list, a, &frozen_ops, a), 0);
	CHECK_EQ(device_list_add(&list, "none", &no_ops, NULL), 0);
	CHECK_EQ(device_list_add(&list, b, &frozen_ops, b), 0);
	CHECK(device_list_freeze(&list));
	device_list_thaw(&list);
	CHECK_STR(trace, "*a*b=b=a");
	/* All or none. */
	trace[0] = '\0';
	CHECK_EQ(device_list_add(&list, c, &busy_ops, c), 0);
	CHECK(!device_list_freeze(&list));
	CHECK_STR(trace, "*a*b?c=b=a");
	device_list_destroy(&list);
}

static void test_failed_start(void)
{
	struct device_list list = { 0 };

	trace[0] = '\0';
	CHECK_EQ(device_list_add(&list, a, &all_ops, a), 0);
	CHECK_EQ(device_list_add(&list, b, &failing_ops, b), 0);
	CHECK_EQ(device_list_add(&list, c, &all_ops, c), 0);
	CHECK_EQ(device_list_start(&list), -EIO);
	CHECK_STR(trace, "+a!b-a");
	device_list_stop(&list);
	device_list_destroy(&list);
	CHECK_STR(trace, "+a!b-a~c~b~a");
}

static void test_never_started(void)
{
	struct device_list list = { 0 };

	trace[0] = '\0';
	device_list_stop(&list);
	CHECK_EQ(device_list_add(&list, a, &all_ops, a), 0);
	device_list_destroy(&list);
	CHECK_STR(trace, "~a");
}

static void test_full(void)
{
	struct device_list list = { 0 };

	trace[0] = '\0';
	for (int i = 0; i < DEVICE_MAX; i++)
		CHECK_EQ(device_list_add(&list, "dev", &no_ops, NULL), 0);
	test_stderr_begin();
	CHECK_EQ(device_list_add(&list, "one-more", &all_ops, a), -ENOSPC);
	CHECK(strstr(test_stderr_end(), "one-more"));
	/* It was the list's from the call on, whatever came of it. */
	CHECK_STR(trace, "~a");
	device_list_destroy(&list);
	CHECK_STR(trace, "~a");
}

const struct test device_tests[] = {
	{ "order", test_order },
	{ "freeze", test_freeze },
	{ "failed-start", test_failed_start },
	{ "never-started", test_never_started },
	{ "full", test_full },
	{ 0 },
};
