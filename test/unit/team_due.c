/* Digests that are due: whoever's fails holds nobody up, and is tried again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "store/due.h"
#include "store_kit.h"
#include "team/digest.h"
#include "team/gather.h"

enum { PEOPLE = 140, FAILING = 130, NOW = 1000 };

static uint32_t last_failing; /* persons up to this one fail; 0: nobody */

enum status __wrap_gather(struct site *, const struct gather_ask *, struct arena *, struct gathered *);

enum status __wrap_gather(struct site *site, const struct gather_ask *ask, struct arena *arena,
        struct gathered *out)
{
        (void)site;
        (void)arena;
        *out = (struct gathered){.position = 7};
        return ask->person->id <= last_failing ? DAMAGED : OK;
}

static unsigned recorded(struct kit *k, const uint32_t *people)
{
        unsigned count = 0;
        for (size_t i = 0; i < PEOPLE; i++) {
                struct digest_record r;
                count += digest_last(k->store, people[i], k->arena, &r) == OK;
        }
        return count;
}

static void failures_hold_nobody_up(void **state)
{
        struct kit *k = *state;
        struct config config = {.domain = STR("team.example"), .host = STR("team.example")};
        struct site site = {.config = &config, .store = k->store};
        uint32_t people[PEOPLE];
        struct due due[PEOPLE];
        struct change *change;
        unsigned filed;
        char name[16];
        for (unsigned i = 0; i < PEOPLE; i++) {
                snprintf(name, sizeof name, "p%u", i);
                people[i] = kit_person(k, name);
        }
        change = change_new(k->store);
        for (unsigned i = 0; i < PEOPLE; i++) {
                due[i] = (struct due){.at = 1 + i, .kind = DUE_DIGEST, .person = people[i]};
                change_due(change, &due[i]);
        }
        assert_int_equal(store_commit(change), OK);
        change_free(change);

        last_failing = people[FAILING - 1];
        assert_int_equal(digest_run(&site, NOW, 0, &filed), BUSY);
        assert_int_equal(recorded(k, people), PEOPLE - FAILING);
        last_failing = 0;
        assert_int_equal(digest_run(&site, NOW, 0, &filed), OK);
        assert_int_equal(recorded(k, people), PEOPLE);
        assert_int_equal(filed, 0); /* nothing to say */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(failures_hold_nobody_up, kit_begin, kit_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
