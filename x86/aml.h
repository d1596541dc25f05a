/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACPI machine language under construction (ACPI 6.5 §20): just the terms that our DSDT needs. Errors stick:
 * builders read as a list of terms and look at .overflow once at the end. Pure.
 */
#ifndef X86_AML_H
#define X86_AML_H

#include "lkvm/types.h"

struct aml {
	uint8_t *buf;
	size_t   size;
	size_t   len;
	bool     overflow; /* something did not fit and was left out */
};

void aml_init(struct aml *aml, void *buf, size_t size);

/*
 * Containers. A begin returns a mark for aml_end(), which fills in the length. Names are of four
 * characters, padded with '_'; a scope may begin with '\'.
 */
size_t aml_scope(struct aml *aml, const char *name);
size_t aml_device(struct aml *aml, const char *name);
/* @nr elements must follow. */
size_t aml_package(struct aml *aml, uint8_t nr);
void aml_end(struct aml *aml, size_t mark);

/* Name (@name, ...): the object must follow. */
void aml_name(struct aml *aml, const char *name);
void aml_integer(struct aml *aml, uint64_t v);
void aml_string(struct aml *aml, const char *s);
/* EISAID ("PNP0501"). */
void aml_eisa_id(struct aml *aml, const char *id);

/* Shorthands for the commonest names. */
void aml_name_integer(struct aml *aml, const char *name, uint64_t v);
void aml_name_string(struct aml *aml, const char *name, const char *s);

/* A resource template (ACPI 6.5 §6.4): descriptors must follow. */
size_t aml_resources(struct aml *aml);
void aml_resources_end(struct aml *aml, size_t mark);
/* IO (Decode16, @base, @base, 1, @len) */
void aml_io(struct aml *aml, uint16_t base, uint8_t len);
/* Memory32Fixed (ReadWrite, @base, @len) */
void aml_memory32(struct aml *aml, uint32_t base, uint32_t len);
/* Interrupt (ResourceConsumer, @level ? Level : Edge, ActiveHigh, Exclusive or Shared) {@gsi} */
void aml_interrupt(struct aml *aml, uint32_t gsi, bool level, bool shared);
/* What a host bridge hands down: bus numbers, ports and memory; @last is inclusive. */
void aml_bridge_bus(struct aml *aml, uint16_t first, uint16_t last);
void aml_bridge_io(struct aml *aml, uint16_t first, uint16_t last);
void aml_bridge_memory32(struct aml *aml, uint32_t first, uint32_t last);
void aml_bridge_memory64(struct aml *aml, uint64_t first, uint64_t last);

#endif
