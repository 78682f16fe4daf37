/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of artifacts. What comes from processes (comm, file names, container ids) may be anything; what leaves here is one
 * component of a path: not empty, not "." or "..", without slash, at most 255 bytes, ASCII that neither terminals nor shells
 * mind. Different texts get different names: what is encoded is %XX, the percent sign itself is, and a name that had to be
 * cut ends in ~ and a digest of the whole text. */

#include <openssl/evp.h>
#include <stdio.h>

#include "../basic/string-util.h"
#include "store-internal.h"

/* "~" and hexadecimal digits of the digest. */
#define DIGEST_DIGITS 16U
/* What counts as the ending of a name, and is kept where it is cut. */
#define ENDING_MAX 8U

/* A container of such a name would share a folder with something else. */
static const char *const reserved_folders[] = { "host", "pcap", NULL };

static bool char_is_plain(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.:,+@=", c));
}

static int cut(const char *raw, const char *encoded, size_t size, char *ret) {
        const char *dot = strrchr(raw, '.');
        unsigned char digest[EVP_MAX_MD_SIZE];
        char hex[DIGEST_DIGITS + 1];
        char ending[ENDING_MAX + 1] = "";
        size_t keep;

        if (EVP_Digest(raw, strlen(raw), digest, NULL, EVP_sha256(), NULL) != 1)
                return -ENOMEM;
        for (size_t i = 0; i < DIGEST_DIGITS / 2; i++)
                (void) snprintf(hex + 2 * i, 3, "%02x", digest[i]);

        if (dot && strlen(dot) <= ENDING_MAX) {
                (void) snprintf(ending, sizeof(ending), "%s", dot);
                for (const char *p = ending; *p; p++)
                        if (!char_is_plain(*p)) {
                                ending[0] = '\0';
                                break;
                        }
        }

        keep = STORE_NAME_MAX - 1 - DIGEST_DIGITS - strlen(ending);
        keep = MIN(keep, size);
        /* Not in the middle of a %XX. */
        if (keep >= 1 && encoded[keep - 1] == '%')
                keep -= 1;
        else if (keep >= 2 && encoded[keep - 2] == '%')
                keep -= 2;
        (void) snprintf(ret, STORE_NAME_MAX + 1, "%.*s~%s%s", (int) keep, encoded, hex, ending);
        return 0;
}

int store_name_encode(const char *raw, char ret[static STORE_NAME_MAX + 1]) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *encoded;

        if (isempty(raw))
                raw = "%";      /* becomes %25: an empty name is no name */
        for (const char *p = raw; *p; p++) {
                bool first = p == raw;

                if (char_is_plain(*p) && !(first && IN_SET(*p, '.', '-')))
                        (void) buffer_add_char(&b, *p);
                else
                        (void) buffer_printf(&b, "%%%02x", (unsigned) (unsigned char) *p);
        }
        encoded = buffer_cstring(&b);
        if (!encoded)
                return -ENOMEM;
        if (b.size > STORE_NAME_MAX)
                return cut(raw, encoded, b.size, ret);
        memcpy(ret, encoded, b.size + 1);
        return 0;
}

static int container_folder(const char *container, char ret[static STORE_NAME_MAX + 1]) {
        char encoded[STORE_NAME_MAX + 1];
        int r;

        if (isempty(container)) {
                memcpy(ret, "host", sizeof("host"));
                return 0;
        }
        r = store_name_encode(container, encoded);
        if (r < 0)
                return r;
        if (strv_contains((char *const *) reserved_folders, encoded))
                (void) snprintf(ret, STORE_NAME_MAX + 1, "%%%02x%.200s", (unsigned) (unsigned char) encoded[0], encoded + 1);
        else
                memcpy(ret, encoded, sizeof(encoded));
        return 0;
}

int store_path_make(const char *container, const char *folder, const char *name, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        char component[STORE_NAME_MAX + 1];
        int r;

        if (!folder) {
                r = container_folder(container, component);
                if (r < 0)
                        return r;
                (void) buffer_add_string(&b, component);
        } else {
                _cleanup_strv_free_ char **parts = NULL;

                r = strv_split(folder, "/", &parts);
                if (r < 0)
                        return r;
                STRV_FOREACH(i, parts) {
                        r = store_name_encode(*i, component);
                        if (r < 0)
                                return r;
                        if (b.size > 0)
                                (void) buffer_add_char(&b, '/');
                        (void) buffer_add_string(&b, component);
                }
        }

        r = store_name_encode(name, component);
        if (r < 0)
                return r;
        if (b.size > 0)
                (void) buffer_add_char(&b, '/');
        (void) buffer_add_string(&b, component);
        if (b.failed)
                return -ENOMEM;
        *ret = buffer_steal(&b);
        return *ret ? 0 : -ENOMEM;
}
