/* text.h - Unicode and charsets; the transfer encodings come with it from encode.h. Input is any
 * octets; output is what its name says. libunistring and iconv are met here only. */
#pragma once
#include "base/encode.h"

bool text_is_ascii(struct str);   /* no octet above 0x7e, no controls but HT CR LF */
bool text_is_7bit(struct str);    /* no octet above 0x7f */
bool text_is_utf8(struct str);    /* well-formed, shortest form, no surrogates */

/* Octets in a declared charset -> UTF-8, always: utf-8 if they are valid UTF-8, else the declared
 * charset, else windows-1252; what cannot be converted becomes U+FFFD. iso-8859-1 and us-ascii
 * are read as windows-1252. An unknown or empty name counts as not declared. ISO-2022 and UTF-7
 * in 7 bits, and UTF-16 with NULs, look like UTF-8: they are read as declared. */
void text_decode(struct str octets, struct str charset, struct buf *out);

/* Are exactly the octets below 0x80 of a text in that charset the ASCII characters of what text_decode
 * makes of it? (A few charsets have letters in place of controls.) */
bool text_shows_ascii(struct str charset);

/* For comparing and searching: NFKC, case folded. Invalid UTF-8 is decoded as above first. */
void text_fold(struct str, struct buf *out);

/* A password or name in the form in which it is compared (SASLprep, RFC 4013). INVALID: not UTF-8,
 * or it holds what SASLprep prohibits (controls, private use, no characters). */
CHECKED enum status text_saslprep(struct str, struct buf *out);

/* Is its last character a letter, a mark on one or a digit, of any script? False for none, and for
 * what is no UTF-8. */
bool text_ends_in_word(struct str utf8);

/* Terminal columns of UTF-8 (wide characters count 2), for 72-column digests. */
size_t text_columns(struct str utf8);
/* The longest prefix of at most `columns` columns; never cuts a character. */
struct str text_cut(struct str utf8, size_t columns);
/* Fills to `columns`; the first line after `first`, the others after `rest`; a word longer than
 * the line stays whole. Ends in LF. */
void text_wrap(struct str utf8, size_t columns, struct str first, struct str rest, struct buf *out);
/* One line: runs of white space become one blank, controls are dropped. */
void text_flatten(struct str utf8, struct buf *out);
/* CR LF for every line end; a view of the input when it is in CRLF form already. */
struct str lines_to_crlf(struct str, struct buf *scratch);

/* IMAP mailbox names: modified UTF-7 (RFC 3501 5.1.3) <-> UTF-8. "&" is "&-". */
void mutf7_encode(struct str utf8, struct buf *out);
CHECKED enum status mutf7_decode(struct str, struct buf *out); /* INVALID: not canonical modified UTF-7 */
