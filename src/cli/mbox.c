#include "cli/mbox.h"
#include "base/clock.h"

enum { PIECE_MAX = 1 << 16, WORDS_MOST = 12 };

struct mbox {
        FILE *file;
        size_t max;
        struct buf in; /* read and not yet used up, from `at` on */
        size_t at;
        uint64_t done;
        bool end;      /* of the file */
        bool inside;   /* a From line has been read, its message comes next */
        bool new_line; /* the next piece begins a line */
        time_t date;   /* of that From line */
};

struct piece {           /* a line, or a part of a very long one */
        struct str text; /* with its line end */
        bool begins;
};

struct mbox *mbox_open(FILE *file, size_t message_max)
{
        struct mbox *m = mem_new(sizeof *m);
        m->file = file;
        m->max = message_max;
        m->new_line = true;
        return m;
}

void mbox_close(struct mbox *m)
{
        if (!m)
                return;
        fclose(m->file);
        buf_release(&m->in);
        free(m);
}

uint64_t mbox_position(const struct mbox *m)
{
        return m->done;
}

/* ---- From lines ---- */

static bool is_time(struct str word)
{
        return word.len >= 4 && word.len <= 8 && str_chr(word, ':') != STR_NOWHERE &&
               word.at[0] >= '0' && word.at[0] <= '9';
}

static enum status read_time(struct str word, unsigned out[3])
{
        struct str part;
        uint32_t n;
        for (int i = 0; i < 3; i++) {
                out[i] = 0;
                if (!str_cut(&word, ':', &part))
                        continue;
                if (str_u32(part, &n) != OK || n > (i ? 60 : 23))
                        return INVALID;
                out[i] = n;
        }
        return OK;
}

static int read_month(struct str word)
{
        for (int i = 0; i < 12; i++) {
                if (str_same(word, str_of(month_names[i])))
                        return i + 1;
        }
        return 0;
}

/* "+0100" -> seconds east. Names of zones are ambiguous and passed over. */
static long read_offset(struct str word)
{
        uint32_t n;
        if (word.len != 5 || (word.at[0] != '+' && word.at[0] != '-') ||
                str_u32(str_from(word, 1), &n) != OK)
                return 0;
        long seconds = (long)(n / 100 * 3600 + n % 100 * 60);
        return word.at[0] == '-' ? -seconds : seconds;
}

/* The words from the month on: "Nov 24 07:30:00 [zone] 2026 [zone]". */
static enum status read_date(const struct str *word, size_t count, time_t *date)
{
        unsigned clock[3];
        uint32_t day, year = 0;
        long offset = 0;
        int month = count > 3 ? read_month(word[0]) : 0;
        if (!month || str_u32(word[1], &day) != OK || day < 1 || day > 31 || !is_time(word[2]) ||
                read_time(word[2], clock) != OK)
                return INVALID;
        for (size_t i = 3; i < count && i < 6; i++) {
                if (word[i].len == 4 && !year && str_u32(word[i], &year) == OK)
                        continue;
                offset = read_offset(word[i]) ? read_offset(word[i]) : offset;
        }
        if (year < 1970 || year > 2200)
                return INVALID;
        *date = (time_t)(days_from_civil((int)year, month, (int)day) * 86400 + clock[0] * 3600 +
                         clock[1] * 60 + clock[2] - offset);
        return OK;
}

enum status mbox_from_line(struct str line, time_t *date)
{
        struct str words[WORDS_MOST], rest = str_trim(line);
        size_t count = 0;
        if (!str_starts(line, STR("From ")))
                return INVALID;
        while (count < WORDS_MOST && str_word(&rest, &words[count]))
                count++;
        for (size_t i = 1; i < count;
                i++) { /* the address may hold blanks: the date is found by its month */
                if (read_date(words + i, count - i, date) == OK)
                        return OK;
        }
        return INVALID;
}

/* ---- the file ---- */

/* Views of what was read before are gone then. */
static void fill(struct mbox *m)
{
        size_t n;
        buf_drop(&m->in, m->at);
        m->at = 0;
        n = fread(buf_reserve(&m->in, PIECE_MAX), 1, PIECE_MAX, m->file);
        m->in.len += n;
        m->end = n == 0;
}

static bool next_piece(struct mbox *m, struct piece *out)
{
        for (;;) {
                struct str rest = str_from(buf_str(&m->in), m->at);
                size_t end = str_chr(rest, '\n');
                if (end == STR_NOWHERE && rest.len < PIECE_MAX && !m->end) {
                        fill(m);
                        continue;
                }
                if (!rest.len)
                        return false;
                out->text = str_sub(rest, 0, end == STR_NOWHERE ? rest.len : end + 1);
                out->begins = m->new_line;
                m->new_line = end != STR_NOWHERE;
                m->at += out->text.len;
                m->done += out->text.len;
                return true;
        }
}

static bool is_blank(struct str line)
{
        return str_eq(line, STR("\n")) || str_eq(line, STR("\r\n"));
}

/* ">From ", ">>From " ...: mboxrd's quoting, of which mboxo's is the first case. */
static bool is_quoted(struct str line)
{
        size_t marks = 0;
        while (marks < line.len && line.at[marks] == '>')
                marks++;
        return marks && str_starts(str_from(line, marks), STR("From "));
}

/* Up to the first From line; a file may begin with empty lines. */
static enum status find_first(struct mbox *m)
{
        struct piece p;
        while (next_piece(m, &p)) {
                if (is_blank(p.text))
                        continue;
                if (!p.begins || !str_starts(p.text, STR("From ")))
                        return INVALID;
                if (mbox_from_line(p.text, &m->date) != OK)
                        m->date = 0;
                m->inside = true;
                return OK;
        }
        return ferror(m->file) ? BROKEN : ABSENT;
}

/* The empty line before the next From line belongs to the format. */
static void drop_last_blank(struct buf *message, struct str blank)
{
        if (str_ends(buf_str(message), blank))
                message->len -= blank.len;
}

enum status mbox_next(struct mbox *m, struct buf *message, time_t *date)
{
        struct piece p;
        struct str blank = STR("");
        bool too_big = false;
        enum status st = m->inside ? OK : find_first(m);
        buf_clear(message);
        if (st != OK)
                return st;
        *date = m->date;
        m->inside = false;
        while (next_piece(m, &p)) {
                if (p.begins && blank.len && mbox_from_line(p.text, &m->date) == OK) {
                        m->inside = true;
                        break;
                }
                if (p.begins && is_quoted(p.text))
                        p.text = str_from(p.text, 1);
                blank = !p.begins || !is_blank(p.text) ? STR("")
                        : p.text.len == 1              ? STR("\n")
                                                       : STR("\r\n");
                too_big = too_big || message->len + p.text.len > m->max;
                if (!too_big)
                        buf_add(message, p.text);
        }
        if (ferror(m->file))
                return BROKEN;
        drop_last_blank(message, blank);
        return too_big ? TOO_BIG : OK;
}

/* ---- writing ---- */

static void put_from_line(struct str sender, time_t date, struct buf *out)
{
        int64_t day = date / 86400, second = date % 86400;
        int year, month, of_month;
        civil_from_days(day, &year, &month, &of_month);
        buf_add_text(out, "From ");
        for (size_t i = 0; i < sender.len; i++)
                buf_add_char(out, (unsigned char)sender.at[i] <= ' ' ? '_' : sender.at[i]);
        buf_addf(out, "%s %s %s %2d %02d:%02d:%02d %04d\n", sender.len ? "" : "MAILER-DAEMON",
                day_names[(day + 4) % 7], month_names[month - 1], of_month, (int)(second / 3600),
                (int)(second / 60 % 60), (int)(second % 60), year);
}

bool mbox_keeps(struct str text)
{
        size_t at;
        while ((at = str_chr(text, '\r')) != STR_NOWHERE) {
                if (at + 1 == text.len || text.at[at + 1] != '\n')
                        return true;
                text = str_from(text, at + 2);
        }
        return false;
}

void mbox_put(struct str message, struct str sender, time_t date, struct buf *out)
{
        bool keep = mbox_keeps(message);
        put_from_line(sender, date > 0 ? date : 0, out);
        while (message.len) {
                size_t at = str_chr(message, '\n');
                struct str line = str_sub(message, 0, at == STR_NOWHERE ? message.len : at + 1);
                message = str_from(message, line.len);
                if (is_quoted(line) || str_starts(line, STR("From ")))
                        buf_add_char(out, '>');
                if (!keep && str_ends(line, STR("\r\n"))) {
                        buf_add(out, str_sub(line, 0, line.len - 2));
                        buf_add_char(out, '\n');
                } else {
                        buf_add(out, line);
                }
                if (at == STR_NOWHERE)
                        buf_add_char(out, '\n');
        }
        buf_add_char(out, '\n');
}
