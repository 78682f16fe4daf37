/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Captures of a policy as rules of the engine. A rule that wants capture_write beside openat is one number, one subject
 * and one mask for both: the subject is judged once, and an artifact's scopes are found as an event's are.
 *
 * What an expression means stands in capture-spec.c; where artifacts go is no policy's business. */

#include "../basic/macro.h"
#include "../basic/string-util.h"
#include "policy-capture.h"

static int add_text(YamlReader *r, const YamlNode *n, void *target) {
        Policy *p = target;
        const char *text;
        int q;

        q = yaml_get_string(r, n, 0, &text);
        if (q <= 0)
                return q;
        return strv_extend(&p->capture, text);
}

/* `where`: the expression that is wrong. */
static int report(YamlReader *r, const YamlNode *n, size_t where, const char *message) {
        const YamlNode *item = n->kind == YAML_SEQUENCE && where < n->n_items ? n->items[where] : n;
        size_t mark = 0;
        int q;

        if (item != n)
                mark = yaml_key_push_index(r, where);
        q = yaml_error(r, item, "%s", message);
        if (item != n)
                yaml_key_pop(r, mark);
        return q;
}

int policy_capture_read(YamlReader *r, const YamlNode *n, void *target) {
        unsigned n_errors = r->n_errors;
        _cleanup_free_ char *error = NULL;
        Policy *p = target;
        size_t where = 0;
        int q;

        q = n->kind == YAML_SCALAR && !yaml_is_null(n) ? add_text(r, n, p) : yaml_read_sequence(r, n, add_text, p);
        if (q < 0 || r->n_errors > n_errors || !p->capture)
                return q;

        p->captures = new0(CaptureSpecList, 1);
        if (!p->captures)
                return -ENOMEM;
        q = capture_spec_parse(p->capture, p->captures, &where, &error);
        if (q == -ENOMEM)
                return q;
        if (q < 0)
                return report(r, n, where, error ?: "This is nothing that can be captured.");
        if (p->captures->directory || p->captures->clear_dir)
                return yaml_error(r, n, "The directory of artifacts is the service's, not a policy's; set "
                                  "CaptureDirectory= in scopetraced.conf, and remove artifacts by scopectl vacuum.");
        return 0;
}

static bool has_packet_events(const PolicyRule *rule) {
        for (size_t i = 0; i < rule->n_events; i++)
                if (event_packet_kind(rule->events[i].spec) != 0)
                        return true;
        return false;
}

/* What is kept of packets is told by the rule that captures, which is the first. NULL: nothing is wrong. */
static const char *what_is_wrong(const Policy *p) {
        bool filtered = false;

        for (size_t i = 0; i < p->captures->n; i++)
                filtered = filtered || p->captures->items[i].pcap_filtered;
        if (!filtered)
                return NULL;
        for (size_t i = 1; i < p->n_rules; i++)
                if (has_packet_events(p->rules + i))
                        return "pcap-options:filtered cannot follow a packet event that stands in several rules; write one "
                               "rule for it, or a policy for each.";
        if (!has_packet_events(p->rules))
                return "pcap-options:filtered keeps the packets of the packet events that the policy selects, and it selects "
                       "none; add for example event=net_packet_tcp to its filters, or write pcap-filter: with an expression "
                       "as for tcpdump.";
        return NULL;
}

int policy_capture_attach(Policy *p, char **reterr) {
        PolicyRule *rule = p->rules;
        PolicyEvent *events;
        const char *wrong;

        if (!p->captures || p->captures->n == 0 || p->n_rules == 0)
                return 0;
        wrong = what_is_wrong(p);
        if (wrong) {
                *reterr = strdup(wrong);
                return *reterr ? -EINVAL : -ENOMEM;
        }
        events = reallocarray(rule->events, rule->n_events + p->captures->n, sizeof(events[0]));
        if (!events)
                return -ENOMEM;
        rule->events = events;
        for (size_t i = 0; i < p->captures->n; i++) {
                CaptureSpec *spec = p->captures->items + i;

                events[rule->n_events++] = (PolicyEvent) {
                        .spec = capture_kind_event(spec->kind),
                        .conditions = TAKE_PTR(spec->conditions),
                        .n_conditions = spec->n_conditions,
                        .line = p->line,
                        .column = p->column,
                };
                spec->n_conditions = 0;
        }
        return 0;
}
