/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager: what scopetraced consists of, in which order it begins and ends, and what it tells the service
 * manager. READY=1 is sent when every policy that can be active is, and not before; whatever a predecessor left in
 * the ring is read before anything else. What policies need done stands in manager-policies.c, the way of a record in
 * dispatch.c. */

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "../basic/string-util.h"
#include "../basic/time-util.h"
#include "captures.h"
#include "manager-internal.h"
#include "message.h"

/* What loading programs on a slow machine may take before the service manager gives up. */
#define STARTUP_TIMEOUT_USEC (120 * USEC_PER_SEC)
/* At the end: what journald gets to take the last records. */
#define JOURNAL_DRAIN_USEC (2 * USEC_PER_SEC)

int manager_new(const ManagerOptions *options, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        m = new0(Manager, 1);
        if (!m)
                return -ENOMEM;
        m->options = *options;
        m->config = (Config) CONFIG_DEFAULT;
        m->root = secure_getenv("SCOPETRACE_ROOT");
        m->start_realtime_usec = now_usec(CLOCK_REALTIME);
        m->start_monotonic_usec = now_usec(CLOCK_MONOTONIC);
        event_format_set_epoch(now_usec(CLOCK_BOOTTIME) * NSEC_PER_USEC);
        m->dispatch.scopes = m->scopes;

        r = sd_event_default(&m->event);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;
        manager_bus_stop(m);
        if (m->journal)
                journal_drain(m->journal, JOURNAL_DRAIN_USEC);
        log_set_journal_sender(NULL, NULL);
        sd_event_source_disable_unref(m->count_source);
        remote_actions_free(m->remote);
        capture_feed_free(m->capture_feed);
        captures_free(m->captures);
        manager_policies_done(m);
        dispatch_done(&m->dispatch);
        kernel_free(m->kernel);
        subject_free(m->dispatch.subject);
        loss_log_free(m->dispatch.losses);
        stream_set_free(m->streams);
        journal_free(m->journal);
        fd_store_free(m->fd_store);
        sd_event_unref(m->event);
        config_done(&m->config);
        free(m);
        return NULL;
}

/* --- what the service manager is told --- */

static void send_status(Manager *m, const char *state) {
        (void) sd_notifyf(0, "%s%sSTATUS=%s", state, isempty(state) ? "" : "\n", manager_status_text(m));
}

void manager_notify_status(Manager *m) {
        if (m->ready)
                send_status(m, "");
}

const char *manager_status_text(Manager *m) {
        unsigned n, n_failed, n_scopes = 0;
        char failed[32] = "";

        manager_policy_counts(m, &n, NULL, &n_failed);
        for (unsigned i = 1; i <= SCOPE_MAX; i++)
                n_scopes += !!m->scopes[i];
        if (n_failed > 0)
                (void) snprintf(failed, sizeof(failed), ", %u failed", n_failed);
        (void) snprintf(m->status, sizeof(m->status), "%u %s in %u %s%s; %u %s; %" PRIu64 " lost", n,
                        n == 1 ? "policy" : "policies", n_scopes, n_scopes == 1 ? "scope" : "scopes", failed,
                        manager_n_hooks(m), manager_n_hooks(m) == 1 ? "hook" : "hooks", manager_n_lost(m));
        return m->status;
}

/* --- events of the loop --- */

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        (void) manager_reload(userdata);
        return 0;
}

static void on_before_loss_report(void *userdata) {
        Manager *m = userdata;

        dispatch_account_losses(&m->dispatch);
        manager_notify_status(m);
        if (m->listener.on_manager_changed)
                m->listener.on_manager_changed(m, m->listener_userdata);
}

static void on_journal_lost(uint64_t seq, uint64_t scopes, void *userdata) {
        Manager *m = userdata;

        for (uint64_t bits = scopes; bits; bits &= bits - 1) {
                Scope *s = m->scopes[__builtin_ctzll(bits) + 1];

                if (s)
                        s->n_lost++;
        }
        loss_log_add(m->dispatch.losses, LOSS_JOURNAL, 1, scopes, seq, seq);
}

static int on_log_entry(const void *data, size_t size, void *userdata) {
        return journal_write_entry(userdata, data, size);
}

static bool stream_reads(Manager *m, pid_t pid) {
        StreamInfo streams[STREAMS_MAX];
        size_t n = stream_set_list(m->streams, streams, STREAMS_MAX);

        for (size_t i = 0; i < n; i++)
                if (streams[i].pid == pid)
                        return true;
        return false;
}

static void on_stream_closed(pid_t pid, bool console, void *userdata) {
        Manager *m = userdata;

        if (console)
                (void) sd_event_exit(m->event, 0);
        else if (pid > 0 && !stream_reads(m, pid))
                (void) kernel_exclude_process(m->kernel, (uint32_t) pid, false);
}

/* --- the start --- */

static int setup_signals(Manager *m) {
        static const struct {
                int signal;
                sd_event_signal_handler_t handler;
        } rows[] = {
                { SIGTERM, on_terminate },
                { SIGINT, on_terminate },
                { SIGHUP, on_hangup },
        };
        sigset_t set;
        int r;

        (void) signal(SIGPIPE, SIG_IGN);
        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                sigaddset(&set, rows[i].signal);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                sd_event_source *source;

                r = sd_event_add_signal(m->event, &source, rows[i].signal, rows[i].handler, m);
                if (r < 0)
                        return r;
                (void) sd_event_source_set_priority(source, PRIORITY_SIGNAL);
                r = sd_event_source_set_floating(source, true);
                sd_event_source_unref(source);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int lookup_cgroup(uint64_t id, struct sct_cgroup *ret, void *userdata) {
        return kernel_cgroup_lookup(((Manager *) userdata)->kernel, id, ret);
}

static int setup_outputs(Manager *m) {
        const StreamHandlers handlers = { .on_closed = on_stream_closed };
        const JournalOptions journal = {
                .queue_bytes = m->config.journal_queue_bytes,
                .optional = m->options.console,
                .on_lost = on_journal_lost,
                .userdata = m,
        };
        const StreamOptions console = {
                .format = m->options.console_format,
                .flags = m->options.console_flags,
        };
        int r;

        r = loss_log_new(m->event, on_before_loss_report, m, &m->dispatch.losses);
        if (r < 0)
                return r;
        r = subject_new(lookup_cgroup, m, &m->dispatch.subject);
        if (r < 0)
                return r;
        r = journal_new(m->event, &journal, &m->journal);
        if (r < 0)
                return r;
        if (m->config.journal && journal_is_present(m->journal))
                m->dispatch.journal = m->journal;
        /* What the service says of itself goes out in order with the events, and never waits either. */
        if (journal_is_present(m->journal))
                log_set_journal_sender(on_log_entry, m->journal);

        r = stream_set_new(m->event, &handlers, m, &m->streams);
        if (r < 0)
                return r;
        m->dispatch.streams = m->streams;
        r = remote_actions_new(m->event, m->config.dns_servers, &m->remote);
        if (r < 0)
                return r;
        m->dispatch.remote = m->remote;
        return m->options.console ? stream_set_add_fd(m->streams, &console, STDOUT_FILENO) : 0;
}

static int open_kernel(Manager *m, SavedState *saved) {
        KernelConfig config = {
                .ring_bytes = (uint32_t) m->config.ring_bytes,
                .artifact_ring_bytes = (uint32_t) m->config.capture_ring_bytes,
                .whole_programs = streq(secure_getenv("SCOPETRACE_SPECIALIZE") ?: "", "0"),
        };
        _cleanup_free_ KernelFd *fds = NULL;
        _cleanup_free_ char *error = NULL;
        const char *reason;
        size_t n_fds = 0;
        uint64_t next, flushed;
        int r, adopted;

        adopted = fd_store_adopt(m->fd_store, &fds, &n_fds, saved, &reason);
        if (adopted < 0)
                return adopted;
        if (reason)
                message_send(MESSAGE_ABI_MISMATCH, LOG_WARNING, NULL,
                             "What the service left behind cannot be used: %s Starting clean.", reason);

        r = features_probe(&m->features);
        if (r < 0)
                return log_error_errno(r, "Cannot find out what this kernel grants: %m");

        r = kernel_new(&config, &m->features, fds, n_fds, &m->kernel, &error);
        if (r < 0 && adopted > 0) {
                message_send(MESSAGE_ABI_MISMATCH, LOG_WARNING, NULL,
                             "What the service left behind cannot be used: %s Starting clean.", error ?: strerror(-r));
                for (size_t i = 0; i < n_fds; i++)
                        safe_close(fds[i].fd);
                fd_store_clear(m->fd_store);
                saved_state_done(saved);
                free(TAKE_PTR(error));
                r = kernel_new(&config, &m->features, NULL, 0, &m->kernel, &error);
        }
        if (r < 0) {
                message_send(MESSAGE_KERNEL_REFUSED, LOG_ERR, NULL, "The kernel side cannot be loaded: %s",
                             error ?: strerror(-r));
                return r;
        }
        m->dispatch.kernel = m->kernel;
        m->dispatch.lost_seen = (uint32_t) kernel_n_lost(m->kernel);

        /* What a predecessor that died had taken from the ring has its numbers, and has perhaps arrived nowhere. */
        next = kernel_next_seq(m->kernel, 0);
        flushed = kernel_flushed_seq(m->kernel, true);
        if (flushed < next)
                loss_log_add(m->dispatch.losses, LOSS_CRASH, next - flushed, 0, flushed, next - 1);

        for (size_t i = saved->n_maps; i > 0; i--)
                dispatch_push_map(&m->dispatch, TAKE_PTR(saved->maps[i - 1]));
        return 0;
}

static int need_store(Store **ret, void *userdata) {
        Manager *m = userdata;

        return captures_need_store(m->captures, ret);
}

static int start_capture_feed(Manager *m) {
        int r;

        r = capture_feed_new(m->kernel, need_store, m, &m->capture_feed);
        for (size_t i = RULE_MAPS_MAX; r >= 0 && i > 0; i--)
                if (m->dispatch.maps.maps[i - 1])
                        r = capture_feed_saved(m->capture_feed, m->dispatch.maps.maps[i - 1]);
        return r;
}

int manager_startup(Manager *m) {
        _cleanup_(saved_state_done) SavedState saved = {};
        unsigned n_active;
        int r;

        (void) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, (uint64_t) STARTUP_TIMEOUT_USEC);
        r = config_load(&m->config, m->root);
        if (r < 0)
                return r;
        log_set_max_level(m->config.log_level);
        r = setup_signals(m);
        if (r < 0)
                return log_error_errno(r, "Cannot set up signals: %m");
        r = sd_event_set_watchdog(m->event, true);
        if (r < 0)
                return log_error_errno(r, "Cannot set up the watchdog: %m");
        r = fd_store_new(&m->fd_store);
        if (r < 0)
                return r;
        r = setup_outputs(m);
        if (r < 0)
                return log_error_errno(r, "Cannot set up the outputs: %m");

        r = open_kernel(m, &saved);
        if (r < 0)
                return r;
        r = kernel_exclude_process(m->kernel, (uint32_t) getpid(), true);
        if (r < 0)
                return log_error_errno(r, "Cannot leave this process out of what is traced: %m");
        r = kernel_attach_event(m->kernel, m->event, PRIORITY_RING, dispatch_record, dispatch_batch_end, &m->dispatch);
        if (r < 0)
                return log_error_errno(r, "Cannot read the ring: %m");
        if (saved.n_maps > 0)
                (void) kernel_drain(m->kernel);

        r = captures_new(m, &m->captures);
        if (r < 0)
                return r;
        (void) captures_start(m->captures);

        r = start_capture_feed(m);
        if (r < 0)
                return r;
        r = manager_policies_start(m, &saved);
        if (r < 0)
                return r;
        if (!m->options.no_bus) {
                r = manager_bus_start(m);
                if (r < 0)
                        log_warning_errno(r, "Cannot use the bus, going on without it: %m");
        }

        manager_policy_counts(m, NULL, &n_active, NULL);
        m->ready = true;
        send_status(m, "READY=1");
        message_send(MESSAGE_START, LOG_INFO, NULL, "scopetrace is ready after %" PRIu64 " ms: %s.",
                     (now_usec(CLOCK_MONOTONIC) - m->start_monotonic_usec) / 1000U, manager_status_text(m));
        return 0;
}

int manager_loop(Manager *m) {
        int r;

        r = sd_event_loop(m->event);

        (void) sd_notify(0, "STOPPING=1");
        (void) kernel_drain(m->kernel);
        dispatch_batch_end(&m->dispatch);
        dispatch_count_actions(&m->dispatch);
        dispatch_account_losses(&m->dispatch);
        loss_log_report(m->dispatch.losses);
        m->capture_feed = capture_feed_free(m->capture_feed);
        captures_stop(m->captures);
        message_send(MESSAGE_STOP, LOG_INFO, NULL, "scopetrace ends: %" PRIu64 " events, %" PRIu64 " lost.",
                     m->dispatch.n_events, manager_n_lost(m));
        return r;
}

int manager_reload(Manager *m) {
        Config config = CONFIG_DEFAULT;
        int r;

        (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_usec(CLOCK_MONOTONIC));
        if (config_load(&config, m->root) >= 0) {
                config_done(&m->config);
                m->config = config;     /* sizes hold from the next start on */
                captures_configure(m->captures);
                log_set_max_level(config.log_level);
                m->dispatch.journal = config.journal && journal_is_present(m->journal) ? m->journal : NULL;
        }
        r = policy_set_read(&m->policies, m->root, m->options.policy_paths);
        if (r < 0)
                log_oom();
        else
                r = manager_apply(m);
        manager_log_problems(m, NULL);
        message_send(MESSAGE_RELOAD, LOG_INFO, NULL, "The policies were read again: %s.", manager_status_text(m));
        send_status(m, "READY=1");
        return r;
}

/* --- asked from outside --- */

struct Captures *manager_captures(Manager *m) {
        return m->captures;
}

sd_event *manager_event(Manager *m) {
        return m->event;
}

const ManagerOptions *manager_options(const Manager *m) {
        return &m->options;
}

Kernel *manager_kernel(Manager *m) {
        return m->kernel;
}

const FeatureSet *manager_features(const Manager *m) {
        return &m->features;
}

void manager_set_listener(Manager *m, const ManagerListener *listener, void *userdata) {
        m->listener = listener ? *listener : (ManagerListener) {};
        m->listener_userdata = userdata;
}

void *manager_bus_data(const Manager *m) {
        return m->bus_data;
}

void manager_set_bus_data(Manager *m, void *data) {
        m->bus_data = data;
}

uint64_t manager_start_realtime_usec(const Manager *m) {
        return m->start_realtime_usec;
}

uint64_t manager_start_monotonic_usec(const Manager *m) {
        return m->start_monotonic_usec;
}

uint32_t manager_generation(const Manager *m) {
        return m->kernel ? kernel_generation(m->kernel) : 0;
}

unsigned manager_n_hooks(const Manager *m) {
        return m->kernel ? kernel_n_hooks(m->kernel) : 0;
}

uint64_t manager_n_lost(Manager *m) {
        uint64_t n = 0;

        for (LossReason i = 0; i < _LOSS_REASON_MAX; i++)
                n += loss_log_total(m->dispatch.losses, i);
        return n;
}

void manager_counters(Manager *m, ManagerCounters *ret) {
        KernelCounters kernel = {};
        RemoteCounters url, dns;

        kernel_counters(m->kernel, &kernel);
        remote_actions_counters(m->remote, REMOTE_URL, &url);
        remote_actions_counters(m->remote, REMOTE_DNS, &dns);
        *ret = (ManagerCounters) {
                .n_events = m->dispatch.n_events,
                .n_lost_ring = loss_log_total(m->dispatch.losses, LOSS_RING),
                .n_lost_rate = loss_log_total(m->dispatch.losses, LOSS_RATE_LIMIT),
                .n_lost_journal = loss_log_total(m->dispatch.losses, LOSS_JOURNAL),
                .n_lost_streams = stream_set_n_lost(m->streams),
                .n_bad_records = m->dispatch.n_bad,
                .n_unresolved = subject_n_unresolved(m->dispatch.subject),
                .n_truncated = kernel.n_truncated,
                .n_faults = kernel.n_faults,
                .n_path_errors = kernel.n_path_errors,
                .n_internal = kernel.n_internal,
                .n_journal_entries = journal_n_sent(m->journal),
                .n_url_requests = url.n_started,
                .n_url_failed = url.n_failed,
                .n_url_dropped = url.n_dropped,
                .n_dns_lookups = dns.n_started,
                .n_dns_failed = dns.n_failed,
                .n_dns_dropped = dns.n_dropped,
                .seq = kernel_next_seq(m->kernel, 0),
                .ring_bytes = kernel.ring_bytes,
                .ring_used_bytes = kernel.ring_used_bytes,
        };
}

int manager_open_stream(Manager *m, const StreamOptions *options, int *ret_fd) {
        StreamOptions o = *options;
        int r;

        if (o.buffer_bytes == 0)
                o.buffer_bytes = m->config.stream_buffer_bytes;
        r = stream_set_add(m->streams, &o, ret_fd);
        if (r >= 0 && o.pid > 0)
                (void) kernel_exclude_process(m->kernel, (uint32_t) o.pid, true);
        return r;
}

int manager_open_stream_on_fd(Manager *m, const StreamOptions *options, int fd) {
        return stream_set_add_fd(m->streams, options, fd);
}

size_t manager_list_streams(Manager *m, StreamInfo *ret, size_t max) {
        return stream_set_list(m->streams, ret, max);
}
