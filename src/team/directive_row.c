#include "team/directive_row.h"
#include "base/text.h"
#include "team/near.h"
#include <limits.h>

enum {
        HELP_COLUMNS = 72,
        EXAMPLE_COLUMNS = 24, /* in front of the sentence, in the help mail */
        SHORTEST_MEANT = 3,   /* letters of a word that may be a mistyped one */
};

#define FIELD(word, name, takes, object, who) word, DIRECTIVE_FIELD, name, takes, object, who, false
#define VERB(word, name, takes, object, who) word, DIRECTIVE_VERB, name, takes, object, who, false
#define LATER(word, kind) word, kind, DO_LATER, TAKES_ANY_TEXT, ON_ANY, BY_POSTER, true, "", ""

const struct directive_row directive_rows[] = {
        /* clang-format off */
        { FIELD("Status",   DO_STATUS,   TAKES_STATUS,   ON_TASK, BY_POSTER),
          "Moves the task to that column, blanks written as \"-\"; \"dropped\" ends it undone.",
          "Status: doing" },
        { FIELD("Assign",   DO_ASSIGN,   TAKES_PERSONS,  ON_TASK, BY_POSTER),
          "Gives the task to these people too; \"me\" is you, \"none\" takes it from all.",
          "Assign: bo, me" },
        { FIELD("Unassign", DO_UNASSIGN, TAKES_PERSONS,  ON_TASK, BY_POSTER),
          "Takes the task from these people.",
          "Unassign: bo" },
        { FIELD("Due",      DO_DUE,      TAKES_DAY,      ON_TASK, BY_POSTER),
          "Sets the day on which the task should be done; \"none\" clears it.",
          "Due: 26 Nov" },
        { FIELD("Start",    DO_START_ON, TAKES_DAY,      ON_TASK, BY_POSTER),
          "Sets the day before which nobody need look at the task; \"none\" clears it.",
          "Start: in 2 weeks" },
        { FIELD("Labels",   DO_LABELS,   TAKES_LABELS,   ON_TASK, BY_POSTER),
          "Puts labels on the task, and takes off those with a \"-\"; \"none\" takes off all.",
          "Labels: auth, -ios" },
        { FIELD("Priority", DO_PRIORITY, TAKES_PRIORITY, ON_TASK, BY_POSTER),
          "Sets how much it matters: high, normal or low.",
          "Priority: high" },
        { FIELD("Waits-on", DO_WAITS_ON, TAKES_TASKS,    ON_TASK, BY_POSTER),
          "Says which tasks must be done first; \"-T-9\" takes one back, \"none\" all.",
          "Waits-on: T-9, T-12" },
        { FIELD("Title",    DO_TITLE,    TAKES_TEXT,     ON_TASK, BY_POSTER),
          "Gives the task another title.",
          "Title: Login fails" },
        { FIELD("Summary",  DO_SUMMARY,  TAKES_TEXT,     ON_TASK, BY_POSTER),
          "Says in one line why; it stands in the thread beside what is changed.",
          "Summary: reproduced" },
        { LATER("Topic", DIRECTIVE_FIELD) },
        { LATER("Decide-by", DIRECTIVE_FIELD) },
        { LATER("Review-by", DIRECTIVE_FIELD) },
        { LATER("Ask", DIRECTIVE_FIELD) },
        { VERB("task",      DO_TASK,     TAKES_ANY_TEXT, ON_ANY, BY_POSTER),
          "Makes the message a task, with this title or else with its subject.",
          "/task Login fails" },
        { VERB("take",      DO_TAKE,     TAKES_NOTHING,  ON_TASK, BY_POSTER),
          "Assigns the task to you.",
          "/take" },
        { VERB("start",     DO_START,    TAKES_NOTHING,  ON_TASK, BY_POSTER),
          "Moves the task to the second column: somebody is at it.",
          "/start" },
        { VERB("done",      DO_DONE,     TAKES_NOTHING,  ON_TASK, BY_POSTER),
          "Moves the task to the last column.",
          "/done" },
        { VERB("drop",      DO_DROP,     TAKES_NOTHING,  ON_TASK, BY_POSTER),
          "Ends the task undone.",
          "/drop" },
        { VERB("reopen",    DO_REOPEN,   TAKES_NOTHING,  ON_TASK, BY_POSTER),
          "Moves the task back to the first column.",
          "/reopen" },
        { VERB("due",       DO_DUE,      TAKES_DAY,      ON_TASK, BY_POSTER),
          "The same as the field Due.",
          "/due fri" },
        { VERB("label",     DO_LABELS,   TAKES_LABELS,   ON_TASK, BY_POSTER),
          "The same as the field Labels.",
          "/label +auth -ios" },
        { VERB("wait",      DO_WAITS_ON, TAKES_TASKS,    ON_TASK, BY_POSTER),
          "The same as the field Waits-on.",
          "/wait T-9" },
        { VERB("undo",      DO_UNDO,     TAKES_NOTHING,  ON_TASK, BY_ACTOR),
          "Takes back your own last change of the task, for 14 days.",
          "/undo" },
        { VERB("mute",      DO_MUTE,     TAKES_NOTHING,  ON_THREAD, BY_READER),
          "Tells you no more of this thread, unless somebody names you.",
          "/mute" },
        { VERB("follow",    DO_FOLLOW,   TAKES_NOTHING,  ON_THREAD, BY_READER),
          "Tells you of this thread again, also in a topic that you do not follow.",
          "/follow" },
        { LATER("pass", DIRECTIVE_VERB) },
        { LATER("ask", DIRECTIVE_VERB) },
        { LATER("answered", DIRECTIVE_VERB) },
        { LATER("yes", DIRECTIVE_VERB) },
        { LATER("no", DIRECTIVE_VERB) },
        { LATER("abstain", DIRECTIVE_VERB) },
        { LATER("urgent", DIRECTIVE_VERB) },
}; /* clang-format on */
const size_t directive_row_count = COUNT_OF(directive_rows);

const struct directive_row *directive_row_find(enum directive_kind kind, struct str word)
{
        for (size_t i = 0; i < directive_row_count; i++) {
                const struct directive_row *row = &directive_rows[i];
                if (row->kind == kind && str_same(word, str_of(row->word)))
                        return row;
        }
        return NULL;
}

/* Are they made of the same letters, as "taek" and "take"? Then they were only mixed up. */
static bool same_letters(struct str a, struct str b)
{
        int count[UCHAR_MAX + 1] = {0};
        for (size_t i = 0; i < a.len; i++)
                count[(unsigned char)ascii_lower(a.at[i])]++;
        for (size_t i = 0; i < b.len; i++)
                count[(unsigned char)ascii_lower(b.at[i])]--;
        for (size_t i = 0; i < COUNT_OF(count); i++)
                if (count[i])
                        return false;
        return true;
}

/* How far the word is from this row's; letters that are only mixed up count less, and the word of
 * the other kind ("/status") comes behind a slip of one letter. UINT32_MAX: it was not meant. */
static unsigned slip(const struct directive_row *row, enum directive_kind kind, struct str word)
{
        enum { LETTER = 4, OTHER_LETTERS = 1, OTHER_KIND = 6, LONG = 5 };
        struct str known = str_of(row->word);
        if (row->later)
                return UINT32_MAX;
        if (row->kind != kind && str_same(word, known))
                return OTHER_KIND;
        if (row->kind != kind) /* "/asign": what is nearly a field can only be a verb by its slash */
                return kind == DIRECTIVE_VERB && word.len >= LONG && near_distance(word, known) == 1
                               ? OTHER_KIND + LETTER
                               : UINT32_MAX;
        if (!near_enough(word, known))
                return UINT32_MAX;
        unsigned letters = same_letters(word, known) ? 0 : OTHER_LETTERS;
        return near_distance(word, known) * LETTER + letters;
}

const struct directive_row *directive_row_near(enum directive_kind kind, struct str word)
{
        const struct directive_row *best = NULL;
        unsigned least = UINT32_MAX;
        for (size_t i = 0; word.len >= SHORTEST_MEANT && i < directive_row_count; i++) {
                unsigned n = slip(&directive_rows[i], kind, word);
                if (n >= least)
                        continue;
                least = n;
                best = &directive_rows[i];
        }
        return best;
}

/* ---- help and manual ---- */

static const char *heading(enum directive_kind kind)
{
        return kind == DIRECTIVE_FIELD ? "Fields, at the top, ended by an empty line:"
                                       : "Verbs, each on a line of its own, anywhere:";
}

static void help_row(const struct directive_row *row, struct buf *out)
{
        static const char margin[] = "                                ";
        struct buf first = {0};
        buf_addf(&first, "  %-*s ", EXAMPLE_COLUMNS, row->example);
        text_wrap(str_of(row->does), HELP_COLUMNS, buf_str(&first),
                str_make(margin, EXAMPLE_COLUMNS + 3), out);
        buf_release(&first);
}

void directive_help(struct buf *out)
{
        for (int kind = DIRECTIVE_FIELD; kind <= DIRECTIVE_VERB; kind++) {
                buf_addf(out, "%s%s\n\n", kind == DIRECTIVE_FIELD ? "" : "\n",
                        heading((enum directive_kind)kind));
                for (size_t i = 0; i < directive_row_count; i++)
                        if ((int)directive_rows[i].kind == kind && !directive_rows[i].later)
                                help_row(&directive_rows[i], out);
        }
}

/* Where it differs from what nearly all of them have in common: manual_note. */
static const char *who_may(enum directive_who who)
{
        static const char *const sentences[] = {
                [BY_POSTER] = "",
                [BY_READER] = "Whoever may read the topic may do it.\n",
                [BY_ACTOR] = "",
        };
        return sentences[who];
}

static const char *applies_to(enum directive_object object)
{
        static const char *const sentences[] = {
                [ON_TASK] = "",
                [ON_THREAD] = "It applies to any thread.\n",
                [ON_ANY] = "It applies to any message of a topic.\n",
        };
        return sentences[object];
}

static const char manual_note[] =
        "Where nothing else is said, it applies to a task, and whoever may post to the topic may\n"
        "do it.\n";

/* A word of mdoc, or of its text: a leading mark is no macro, and "-" is a real minus sign. */
static void add_roff(const char *text, struct buf *out)
{
        if (*text == '.' || *text == '\'')
                buf_add_text(out, "\\&");
        for (; *text; text++) {
                if (*text == '-')
                        buf_add_text(out, "\\-");
                else if (*text == '\\')
                        buf_add_text(out, "\\e");
                else if (*text == '"')
                        buf_add_text(out, "\\(dq");
                else
                        buf_add_char(out, *text);
        }
}

static void manual_row(const struct directive_row *row, struct buf *out)
{
        buf_add_text(out, ".It Li \"");
        add_roff(row->example, out);
        buf_add_text(out, "\"\n");
        add_roff(row->does, out);
        buf_addf(out, "\n%s%s", applies_to(row->object), who_may(row->who));
}

void directive_manual(struct buf *out)
{
        for (int kind = DIRECTIVE_FIELD; kind <= DIRECTIVE_VERB; kind++) {
                buf_addf(out, ".Sh %s\n%s.Bl -tag -width Ds\n",
                        kind == DIRECTIVE_FIELD ? "FIELDS" : "VERBS", manual_note);
                for (size_t i = 0; i < directive_row_count; i++)
                        if ((int)directive_rows[i].kind == kind && !directive_rows[i].later)
                                manual_row(&directive_rows[i], out);
                buf_add_text(out, ".El\n");
        }
}
