/* renew.h - what a restored store does so that nobody mistakes what is new for what was there between
 * the backup and the loss. Inside store/ only. */
#pragma once
#include "store/store.h"

/* Every mailbox gets a new UIDVALIDITY (RFC 9051 2.3.1.1: the numbers given since are not known any
 * more); the article numbers of topics, which have none, and all other numbers go on with a gap. */
CHECKED enum status store_renew(struct store *);
