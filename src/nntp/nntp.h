/* nntp.h - topics as newsgroups: RFC 3977 with RFC 4642 (STARTTLS), 4643 (AUTHINFO), 6048 (LIST
 * COUNTS) and the commands that old readers still send (XOVER, XHDR, XPAT).
 *
 * A newsgroup is a topic, its article numbers are the topic's numbers. Nothing is shown before
 * login (480), and afterwards only what the person may read. A 240 means that the article is on
 * disk. IHAVE and streaming are not offered. */
#pragma once
#include "wire/crew.h"

/* `site` handed to open is a struct site. */
extern const struct protocol nntp_protocol;
