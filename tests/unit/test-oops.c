// SPDX-License-Identifier: GPL-2.0-only
/* Logs of Linux kernels that went wrong, as far as they matter: a null function pointer, and others. */
#include "lkvm/oops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static void take_all(struct oops *o, const char *log)
{
	char line[300];

	memset(o, 0, sizeof(*o));
	while (*log) {
		size_t len = strcspn(log, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, log);
		oops_take(o, line);
		log += len + (log[len] == '\n');
	}
}

static void check(const struct oops *o, const char *where, const char *what, const char *task,
		  unsigned int nr_trace, const char *first, const char *last)
{
	char text[OOPS_WHERE_BYTES];

	CHECK(oops_where(o, text));
	CHECK_STR(text, where);
	CHECK_STR(o->what, what);
	CHECK_STR(o->task, task);
	CHECK_EQ(o->nr_trace, nr_trace);
	if (nr_trace && o->nr_trace == nr_trace) {
		CHECK_STR(o->trace[0], first);
		CHECK_STR(o->trace[nr_trace - 1], last);
	}
}

static const char arm64_log[] =
	"[    7.830215] virtio_rng: module verification failed: signature and/or required key missing - tainting kernel\n"
	"[    7.865044] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000\n"
	"[    7.893181] Mem abort info:\n"
	"[    7.897964]   ESR = 0x0000000086000006\n"
	"[    8.065344] Internal error: Oops: 0000000086000006 [#1] SMP\n"
	"[    8.151678] CPU: 0 UID: 0 PID: 133 Comm: insmod Tainted: G            E      6.12.117+deb13-arm64 #1  Debian\n"
	"[    8.299450] pstate: 01402805 (nzcv daif +PAN -UAO -TCO +DIT -SSBS BTYPE=-c)\n"
	"[    8.309356] pc : 0x0\r\n"
	"[    8.317196] lr : virtio_dev_probe+0x1a4/0x260\r\n"
	"[    8.326638] sp : ffff8000804ab6d0\n"
	"[    8.460909] Call trace:\n"
	"[    8.465096]  0x0\n"
	"[    8.468648]  really_probe+0xc8/0x3a0\n"
	"[    8.524110]  virtio_rng_driver_init+0x28/0xff8 [virtio_rng]\n"
	"[    8.766215]  el0t_64_sync+0x190/0x198\n"
	"[    8.777868] Code: 91000421 d503245f (00000000)\n"
	"[    8.796047] ---[ end trace 0000000000000000 ]---\n"
	"[    8.818499] Kernel panic - not syncing: Oops: Fatal exception\n"
	"[    8.850012] Kernel Offset: 0x2d17ccc00000 from 0xffff800080000000\n"
	"[    8.891921] ---[ end Kernel panic - not syncing: Oops: Fatal exception ]---\n";

static void test_arm64(void)
{
	static const char null_what[] = "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000";
	char *text = NULL;
	size_t len = 0;
	struct oops o;
	FILE *out;

	take_all(&o, arm64_log);
	check(&o, "virtio_dev_probe+0x1a4/0x260, which called 0x0", null_what, "insmod, PID 133, CPU 0", 3,
	      "really_probe+0xc8/0x3a0", "el0t_64_sync+0x190/0x198");
	CHECK(o.panicked);
	CHECK_STR(o.trace[1], "virtio_rng_driver_init+0x28/0xff8 [virtio_rng]");
	/* What comes after a panic does not matter any more. */
	oops_take(&o, "[    9.0] BUG: scheduling while atomic: insmod/133/0x00000002");
	CHECK_STR(o.what, null_what);

	out = open_memstream(&text, &len);
	CHECK(out != NULL);
	if (!out)
		return;
	oops_print(&o, out);
	fclose(out);
	CHECK_STR(text,
		  "  it said   Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000\n"
		  "  task      insmod, PID 133, CPU 0\n"
		  "  trace     really_probe+0xc8/0x3a0\n"
		  "            virtio_rng_driver_init+0x28/0xff8 [virtio_rng]\n"
		  "            el0t_64_sync+0x190/0x198\n");
	free(text);
}

static void test_riscv(void)
{
	struct oops o;

	/* No trace: its unwinder starts at pc. */
	take_all(&o,
		 "[    5.168725] Unable to handle kernel access to user memory without uaccess routines at virtual address 0\n"
		 "[    5.184075] Oops [#1]\n"
		 "[    5.195928] CPU: 1 UID: 0 PID: 134 Comm: my shell Tainted: G            E      6.12.117+deb13-riscv64 #1\n"
		 "[    5.214394] epc : 0x0\n"
		 "[    5.217406]  ra : virtio_dev_probe+0x142/0x1d6\n"
		 "[    5.222136] epc : 0000000000000000 ra : ffffffff806d1570 sp : ff200000002d35a0\n"
		 "[    5.308668] ---[ end trace 0000000000000000 ]---\n"
		 "[    5.314070] Kernel panic - not syncing: Fatal exception\n"
		 "[    5.320622] ---[ end Kernel panic - not syncing: Fatal exception ]---\n");
	check(&o, "virtio_dev_probe+0x142/0x1d6, which called 0x0",
	      "Unable to handle kernel access to user memory without uaccess routines at virtual address 0",
	      "my shell, PID 134, CPU 1", 0, "", "");
	CHECK(o.panicked);
	/* A function of its own. */
	take_all(&o,
		 "[    1.0] Unable to handle kernel paging request at virtual address dead000000000100\n"
		 "[    1.0] Oops [#1]\n"
		 "[    1.0] CPU: 0 PID: 1 Comm: init Not tainted 6.6.0 #1\n"
		 "[    1.0] epc : list_del+0x4/0x20 [foo]\n"
		 "[    1.0]  ra : remove+0x142/0x1d6 [foo]\n"
		 "[    1.0] [<ffffffff80001234>] list_del+0x4/0x20 [foo]\n"
		 "[    1.0] Call Trace:\n"
		 "[    1.0] [<ffffffff80001234>] list_del+0x4/0x20 [foo]\n"
		 "[    1.0] [<ffffffff80001334>] remove+0x142/0x1d6 [foo]\n"
		 "[    1.0] [<ffffffff80005678>] ret_from_exception+0x0/0x64\n"
		 "[    1.0] Code: 1141 e422\n");
	check(&o, "list_del+0x4/0x20 [foo]", "Unable to handle kernel paging request at virtual address dead000000000100",
	      "init, PID 1, CPU 0", 2, "remove+0x142/0x1d6 [foo]", "ret_from_exception+0x0/0x64");
	CHECK(!o.panicked);
	CHECK_EQ(o.phase, OOPS_CLOSED);
}

/* A panic that does not come back: the trace has what follows the function that called it. */
static void test_last_call(void)
{
	static const char head[] = "[    3.1] sysrq: Trigger a crash\n"
				   "[    3.1] Kernel panic - not syncing: sysrq triggered crash\n"
				   "[    3.1] CPU: 0 UID: 0 PID: 1 Comm: init Not tainted 6.12.0 #1\n"
				   "[    3.1] Call Trace:\n"
				   "[    3.1] [<ffffffff80006f80>] dump_backtrace+0x1c/0x24\n"
				   "[    3.1] [<ffffffff80001d44>] panic+0x11e/0x348\n"
				   "[    3.1] [<ffffffff806a3d8c>] sysrq_reset_seq_param_set+0x0/0x8a\n";
	char log[sizeof(head) + 100];
	struct oops o;

	snprintf(log, sizeof(log), "%s[    3.1] [<ffffffff806a41d6>] __handle_sysrq+0x9c/0x1a8\n", head);
	take_all(&o, log);
	check(&o, "the function before sysrq_reset_seq_param_set, called by __handle_sysrq+0x9c/0x1a8",
	      "Kernel panic - not syncing: sysrq triggered crash", "init, PID 1, CPU 0", 2,
	      "sysrq_reset_seq_param_set+0x0/0x8a", "__handle_sysrq+0x9c/0x1a8");
	take_all(&o, head);
	check(&o, "the function before sysrq_reset_seq_param_set", "Kernel panic - not syncing: sysrq triggered crash",
	      "init, PID 1, CPU 0", 1, "sysrq_reset_seq_param_set+0x0/0x8a", "sysrq_reset_seq_param_set+0x0/0x8a");
}

static void test_x86(void)
{
	struct oops o;

	take_all(&o,
		 "[    2.1] BUG: kernel NULL pointer dereference, address: 0000000000000000\n"
		 "[    2.1] #PF: supervisor instruction fetch in kernel mode\n"
		 "[    2.1] #PF: error_code(0x0010) - not-present page\n"
		 "[    2.1] PGD 0 P4D 0 \n"
		 "[    2.1] Oops: Oops: 0010 [#1] PREEMPT SMP NOPTI\n"
		 "[    2.1] CPU: 1 UID: 0 PID: 72 Comm: insmod Tainted: G            E      6.12.0 #1\n"
		 "[    2.1] RIP: 0010:0x0\n"
		 "[    2.1] Code: Unable to access opcode bytes at 0xffffffffffffffd6.\n"
		 "[    2.1] RSP: 0018:ffffa3a2c0083b48 EFLAGS: 00010246\n"
		 "[    2.1] Call Trace:\n"
		 "[    2.1]  <TASK>\n"
		 "[    2.1]  ? __die_body.cold+0x19/0x27\n"
		 "[    2.1]  ? asm_exc_page_fault+0x26/0x30\n"
		 "[    2.1]  virtio_dev_probe+0x1b4/0x2f0\n"
		 "[    2.1]  really_probe+0xdb/0x340\n"
		 "[    2.1]  ? pm_runtime_barrier+0x54/0x90\n"
		 "[    2.1]  entry_SYSCALL_64_after_hwframe+0x76/0x7e\n"
		 "[    2.1] RIP: 0033:0x7f0123456789\n"
		 "[    2.1]  </TASK>\n"
		 "[    2.1] CR2: 0000000000000000\n"
		 "[    2.1] ---[ end trace 0000000000000000 ]---\n"
		 "[    2.1] RIP: 0010:0x0\n"
		 "[    2.1] Kernel panic - not syncing: Fatal exception\n");
	check(&o, "virtio_dev_probe+0x1b4/0x2f0, which called 0x0",
	      "BUG: kernel NULL pointer dereference, address: 0000000000000000", "insmod, PID 72, CPU 1", 3,
	      "virtio_dev_probe+0x1b4/0x2f0", "entry_SYSCALL_64_after_hwframe+0x76/0x7e");
	CHECK(o.panicked);
}

static void test_powerpc(void)
{
	struct oops o;

	take_all(&o,
		 "[    3.1] Kernel attempted to execute user page (0) - exploit attempt? (uid: 0)\n"
		 "[    3.1] BUG: Unable to handle kernel instruction fetch (NULL function pointer?)\n"
		 "[    3.1] Faulting instruction address: 0x00000000\n"
		 "[    3.1] Oops: Kernel access of bad area, sig: 11 [#1]\n"
		 "[    3.1] CPU: 0 UID: 0 PID: 88 Comm: insmod Tainted: G            E      6.12.0-powerpc64le #1\n"
		 "[    3.1] NIP:  0000000000000000 LR: c0000000009d1b2c CTR: 0000000000000000\n"
		 "[    3.1] NIP [0000000000000000] 0x0\n"
		 "[    3.1] LR [c0000000009d1b2c] virtio_dev_probe+0x2ac/0x410\n"
		 "[    3.1] Call Trace:\n"
		 "[    3.1] [c000000004d2b6f0] [c0000000009d1ab4] virtio_dev_probe+0x234/0x410 (unreliable)\n"
		 "[    3.1] [c000000004d2b790] [c000000000a7d8f8] really_probe+0x108/0x510\n"
		 "[    3.1] [c000000004d2be50] [c00000000000d05c] system_call_vectored_common+0x15c/0x2ec\n"
		 "[    3.1] --- interrupt: 3000 at 0x7fff8b3d4b04\n"
		 "[    3.1] NIP:  00007fff8b3d4b04 LR: 00007fff8b3d4b04 CTR: 0000000000000000\n"
		 "[    3.1] ---[ end trace 0000000000000000 ]---\n"
		 "[    3.2] \n"
		 "[    4.2] Kernel panic - not syncing: Fatal exception\n");
	check(&o, "virtio_dev_probe+0x2ac/0x410, which called 0x0",
	      "BUG: Unable to handle kernel instruction fetch (NULL function pointer?)", "insmod, PID 88, CPU 0", 3,
	      "virtio_dev_probe+0x234/0x410", "system_call_vectored_common+0x15c/0x2ec");
	CHECK(o.panicked);
}

static void test_arm32(void)
{
	struct oops o;

	take_all(&o,
		 "[    1.0] 8<--- cut here ---\n"
		 "[    1.0] Unable to handle kernel NULL pointer dereference at virtual address 00000000 when execute\n"
		 "[    1.0] Internal error: Oops: 80000005 [#1] SMP ARM\n"
		 "[    1.0] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.6.0 #1\n"
		 "[    1.0] PC is at 0x0\n"
		 "[    1.0] LR is at virtio_dev_probe+0x110/0x220\n"
		 "[    1.0]  virtio_dev_probe from really_probe+0xe8/0x41c\n"
		 "[    1.0] Call trace:\n"
		 "[    1.0]  virtio_dev_probe from really_probe+0xe8/0x41c\n"
		 "[    1.0]  really_probe from __driver_probe_device+0x9c/0x1f4\n"
		 "[    1.0] Code: bad PC value\n");
	check(&o, "virtio_dev_probe+0x110/0x220, which called 0x0",
	      "Unable to handle kernel NULL pointer dereference at virtual address 00000000 when execute",
	      "swapper/0, PID 1, CPU 0", 2, "virtio_dev_probe", "really_probe");
	/* In a module. */
	take_all(&o,
		 "[    1.0] Unable to handle kernel NULL pointer dereference at virtual address 00000000 when write\n"
		 "[    1.0] PC is at list_del+0x4/0x20 [foo]\n"
		 "[    1.0] LR is at remove+0x142/0x1d6 [foo]\n"
		 "[    1.0] Call trace:\n"
		 "[    1.0]  list_del [foo] from remove+0x142/0x1d6 [foo]\n"
		 "[    1.0]  remove [foo] from do_one_initcall+0x50/0x208\n"
		 "[    1.0]  do_one_initcall from do_init_module+0x54/0x1d8\n"
		 "[    1.0] ---[ end trace 0000000000000000 ]---\n");
	check(&o, "list_del+0x4/0x20 [foo]", "Unable to handle kernel NULL pointer dereference at virtual address "
	      "00000000 when write", "", 3, "list_del [foo]", "do_one_initcall");
	CHECK_STR(o.trace[1], "remove [foo]");
}

/* A panic that nothing came before says who called panic(). */
static void test_panic(void)
{
	static const char panic_log[] =
		"[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n"
		"[    1.5] CPU: 0 UID: 0 PID: 1 Comm: swapper/0 Not tainted 6.12.0 #1\n"
		"[    1.5] Call trace:\n"
		"[    1.5]  dump_backtrace+0x94/0x114 (P)\n"
		"[    1.5]  dump_stack_lvl+0x60/0x80\n"
		"[    1.5]  panic+0x158/0x350\n"
		"[    1.5]  mount_root_generic+0x1f0/0x2ac\n"
		"[    1.5]  ret_from_fork+0x10/0x20\n"
		"[    1.5] SMP: stopping secondary CPUs\n"
		"[    1.5] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) ]---\n";
	struct oops o;
	char log[4096];

	take_all(&o, panic_log);
	check(&o, "mount_root_generic+0x1f0/0x2ac",
	      "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", "swapper/0, PID 1, CPU 0",
	      2, "mount_root_generic+0x1f0/0x2ac", "ret_from_fork+0x10/0x20");
	CHECK(o.panicked);

	/* Long after something else it is one of its own, soon after it the end of that. */
	snprintf(log, sizeof(log), "[    0.1] WARNING: CPU: 0 PID: 1 at x.c:1 f+0x0/0x10\n[    0.1] pc : f+0x0/0x10\n"
		 "[    0.1] Call trace:\n[    0.1]  f+0x0/0x10\n[    0.1]  g+0x0/0x10\n"
		 "[    0.1] ---[ end trace 0000000000000000 ]---\n");
	for (unsigned int i = 0; i < 50; i++)
		snprintf(log + strlen(log), sizeof(log) - strlen(log), "[    0.%u] all is well\n", i + 2);
	snprintf(log + strlen(log), sizeof(log) - strlen(log), "%s", panic_log);
	take_all(&o, log);
	CHECK(strstr(o.what, "VFS") != NULL);
	CHECK_EQ(o.nr_trace, 2);
	take_all(&o, "[    0.1] WARNING: CPU: 0 PID: 1 at x.c:1 f+0x0/0x10\n[    0.1] pc : f+0x0/0x10\n"
		     "[    0.1] Kernel panic - not syncing: kernel: panic_on_warn set ...\n"
		     "[    0.1] Call trace:\n[    0.1]  panic+0x158/0x350\n[    0.1]  h+0x1/0x2\n");
	check(&o, "f+0x0/0x10", "WARNING: CPU: 0 PID: 1 at x.c:1 f+0x0/0x10", "", 0, "", "");
}

static void test_order(void)
{
	struct oops o;

	/* The last crash counts, and a warning does not hide it. */
	take_all(&o, "[    1.0] BUG: KASAN: slab-out-of-bounds in a+0x1/0x2\n[    1.0] Call Trace:\n[    1.0]  <TASK>\n"
		     "[    1.0]  dump_stack_lvl+0x1/0x2\n[    1.0]  print_report+0x1/0x2\n[    1.0]  kasan_report+0x1/0x2\n"
		     "[    1.0]  a+0x1/0x2\n[    1.0]  b+0x1/0x2\n[    1.0]  </TASK>\n[    1.0] \n"
		     "[    1.1] Allocated by task 1:\n[    1.1]  kasan_save_stack+0x1/0x2\n"
		     "[    2.0] WARNING: CPU: 0 PID: 1 at x.c:1 f+0x0/0x10\n[    2.0] pc : f+0x0/0x10\n");
	check(&o, "a+0x1/0x2", "BUG: KASAN: slab-out-of-bounds in a+0x1/0x2", "", 2, "a+0x1/0x2", "b+0x1/0x2");
	oops_take(&o, "[    3.0] Unable to handle kernel paging request at virtual address 00000010");
	CHECK(strstr(o.what, "paging") != NULL);
	CHECK_EQ(o.nr_trace, 0);
	/* A crash whose lines were lost does not wait for them for ever. */
	for (unsigned int i = 0; i < 200; i++)
		oops_take(&o, "[    3.1] all is well");
	CHECK_EQ(o.phase, OOPS_CLOSED);
}

static void test_nonsense(void)
{
	char where[OOPS_WHERE_BYTES], line[1000] = "[    1.0]  ";
	struct oops o = { 0 };

	CHECK(!oops_where(&o, where));
	CHECK_STR(where, "");
	oops_take(&o, "");
	oops_take(&o, "[");
	oops_take(&o, "pc : f+0x0/0x1");
	CHECK_EQ(o.phase, OOPS_NONE);
	oops_take(&o, "BUG: x");
	for (const char *const *l = (const char *const[]){ "pc : ", "NIP [", "NIP [] ", "LR [0x] ]", "CPU: ", "CPU:  PID: ",
							   "CPU:  PID:  Comm: ", "RIP: 0010:", "pc : 0x", "pc : +0x/",
							   "pc : 0x12g", NULL }; *l; l++)
		oops_take(&o, *l);
	CHECK_STR(o.pc, "");
	CHECK_STR(o.caller, "");
	/* As many frames as there is room for, of any length. */
	oops_take(&o, "Call Trace:");
	for (unsigned int i = 0; i < OOPS_FRAMES + 1; i++) {
		memset(line + 11, 'f', 500);
		strcpy(line + 511, "+0x0/0x1");
		oops_take(&o, line);
	}
	CHECK_EQ(o.nr_trace, OOPS_FRAMES);
	CHECK(o.more);
	CHECK_EQ(strlen(o.trace[OOPS_FRAMES - 1]), OOPS_TEXT_BYTES - 1);
	CHECK(oops_where(&o, where));
}

const struct test oops_tests[] = {
	{ "arm64", test_arm64 },
	{ "riscv", test_riscv },
	{ "last_call", test_last_call },
	{ "x86", test_x86 },
	{ "powerpc", test_powerpc },
	{ "arm32", test_arm32 },
	{ "panic", test_panic },
	{ "order", test_order },
	{ "nonsense", test_nonsense },
	{ 0 },
};
