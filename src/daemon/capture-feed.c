/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of a plan → what the worker needs to know of them. The worker has copies: a policy may go while its last operation
 * is in the ring. Invariant: the worker knows a generation before the kernel side judges by it. */

#include "../basic/string-util.h"
#include "capture-feed.h"
#include "subject.h"

#define PENDING_MAX RULE_MAPS_MAX

struct CaptureFeed {
        Kernel *kernel;
        CaptureStoreOpener opener;
        void *userdata;
        Subject *subject;               /* the worker's own: it asks from its thread */
        CaptureWorker *worker;
        CaptureRuleSet pending[PENDING_MAX];    /* until there is a worker; oldest first */
        size_t n_pending;
        bool wanted;
};

CaptureFeed *capture_feed_free(CaptureFeed *f) {
        if (!f)
                return NULL;
        capture_worker_free(f->worker);
        for (size_t i = 0; i < f->n_pending; i++)
                capture_rule_set_done(f->pending + i);
        subject_free(f->subject);
        free(f);
        return NULL;
}

static int lookup_cgroup(uint64_t id, struct sct_cgroup *ret, void *userdata) {
        return kernel_cgroup_lookup(((CaptureFeed *) userdata)->kernel, id, ret);
}

int capture_feed_new(Kernel *kernel, CaptureStoreOpener opener, void *userdata, CaptureFeed **ret) {
        _cleanup_(capture_feed_freep) CaptureFeed *f = NULL;
        int r;

        f = new0(CaptureFeed, 1);
        if (!f)
                return -ENOMEM;
        f->kernel = kernel;
        f->opener = opener;
        f->userdata = userdata;
        r = subject_new(lookup_cgroup, f, &f->subject);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

static void resolve(uint64_t cgroup_id, const char **ret_container, const char **ret_unit, void *userdata) {
        CaptureFeed *f = userdata;
        struct sct_record header = { .cgroup_id = cgroup_id };
        Event e = { .header = &header };

        subject_fill(f->subject, &e);
        *ret_container = e.container_id;
        *ret_unit = e.user_unit ?: e.unit;
}

/* Takes the set. */
static int give(CaptureFeed *f, CaptureRuleSet *set) {
        if (f->worker)
                return capture_worker_set_rules(f->worker, set);
        if (f->n_pending == PENDING_MAX) {
                capture_rule_set_done(f->pending);
                memmove(f->pending, f->pending + 1, (PENDING_MAX - 1) * sizeof(f->pending[0]));
                f->n_pending--;
        }
        f->pending[f->n_pending++] = TAKE_STRUCT(*set);
        return 0;
}

static int add_rule(CaptureRuleSet *set, size_t *n_allocated, uint32_t rule, uint8_t scope, const char *policy,
                    const CaptureSpec *spec) {
        _cleanup_free_ char *name = strdup(policy);
        CaptureSpec copy = { .kind = _CAPTURE_KIND_INVALID };
        int r;

        if (!name || !GREEDY_REALLOC(set->items, *n_allocated, set->n + 1))
                return -ENOMEM;
        if (spec) {
                r = capture_spec_copy_options(spec, &copy);
                if (r < 0)
                        return r;
        }
        set->items[set->n++] = (CaptureRule) { .rule = rule, .scope = scope, .policy = TAKE_PTR(name), .spec = copy };
        return 0;
}

int capture_feed_saved(CaptureFeed *f, const RuleMap *map) {
        _cleanup_(capture_rule_set_done) CaptureRuleSet set = { .generation = rule_map_generation(map) };
        size_t n_allocated = 0;
        int r;

        for (size_t i = 0; i < rule_map_n_rules(map); i++) {
                const RulePolicy *p = rule_map_policy(map, i);

                r = p ? add_rule(&set, &n_allocated, (uint32_t) i, p->scope, p->name, NULL) : 0;
                if (r < 0)
                        return r;
        }
        return give(f, &set);
}

int capture_feed_prepare(CaptureFeed *f, const Plan *plan) {
        _cleanup_(capture_rule_set_done) CaptureRuleSet set = { .generation = plan->config.generation };
        size_t n_allocated = 0;
        int r;

        for (size_t i = 0; i < plan->n_rules; i++) {
                const PlanRule *rule = plan->rules + i;
                const CaptureSpecList *specs = rule->policy ? rule->policy->captures : NULL;

                /* They are events of the policy's first rule (policy-capture.c). */
                for (size_t k = 0; specs && rule->rule == 0 && k < specs->n; k++) {
                        r = add_rule(&set, &n_allocated, (uint32_t) i, rule->scope, rule->policy->name, specs->items + k);
                        if (r < 0)
                                return r;
                }
        }
        f->wanted = f->wanted || set.n > 0;
        return give(f, &set);
}

int capture_feed_applied(CaptureFeed *f) {
        Store *store;
        int r;

        if (f->worker || !f->wanted)
                return 0;
        r = f->opener(&store, f->userdata);
        if (r < 0)
                return r;
        r = capture_worker_new(f->kernel, store, resolve, f, &f->worker);
        for (size_t i = 0; r >= 0 && i < f->n_pending; i++)
                r = capture_worker_set_rules(f->worker, f->pending + i);
        if (r < 0)
                return r;
        f->n_pending = 0;
        return 0;
}

CaptureWorker *capture_feed_worker(CaptureFeed *f) {
        return f->worker;
}
