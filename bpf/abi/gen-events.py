#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
"""events.list -> event-id.h, event-table.c, events.man.inc, events.completion.

The only reader of events.list: checks every word of it and fails with file:line. System call numbers come from the
C library's headers through the preprocessor; ARCHES is the one place that knows where an architecture keeps them.
"""

import argparse
import os
import re
import subprocess
import sys

# Header with the native numbers (which are also the event ids), and the header of the 32-bit ABI.
ARCHES = {
    'x86_64': ('asm/unistd_64.h', 'asm/unistd_32.h'),
}
SYSCALL_NR_MAX = 1024       # SCT_SYSCALL_NR_MAX in plan.h
EVENT_ID_MAX = 4096         # above come the policies' own hooks
ARGS_MAX = 16               # SCT_ARGS_MAX in record.h
SETS_MAX = 64
FAMILIES = ('syscall', 'process', 'cgroup', 'security', 'file', 'memory', 'module', 'bpf', 'network', 'container',
            'signature', 'capture')
# What the wire type becomes when the kernel fills the argument.
FILLED_TYPES = {'str': 'str_out', 'sockaddr': 'sockaddr_out', 'int2': 'int2', 'timespec': 'timespec',
                'bytes': 'bytes', 'str_out': 'str_out', 'sockaddr_out': 'sockaddr_out'}


class ListError(Exception):
    pass


class Arg:
    def __init__(self):
        self.name = self.ctype = self.type = None
        self.printer = 'default'
        self.source = 0
        self.size_source = None
        self.low32 = self.high32 = None
        self.flags = []


class Event:
    def __init__(self):
        self.id = self.name = self.family = self.hook = self.doc = None
        self.kind = None
        self.args = []
        self.sets = []
        self.native = self.compat = -1
        self.flags = set()


def read_numbers(cc, header):
    """Name -> number of one kernel header."""
    out = subprocess.run(cc + ['-E', '-dM', '-x', 'c', '-'], input=f'#include <{header}>\n', text=True, check=True,
                         stdout=subprocess.PIPE).stdout
    return {m[1]: int(m[2]) for m in re.finditer(r'^#define __NR_(\w+) (\d+)$', out, re.M)}


def read_arg_types(path):
    with open(path) as f:
        return [m[1] for m in re.finditer(r'^SCT_ARG_TYPE\(\s*\d+,\s*\w+,\s*"(\w+)"', f.read(), re.M)]


class Catalogue:
    def __init__(self, wire_types, native, compat):
        self.wire_types = wire_types
        self.native_numbers, self.compat_numbers = native, compat
        self.types, self.sets, self.set_docs, self.events = {}, [], {}, []
        self.compat_users = {}

    def parse_arg(self, text, position):
        m = re.fullmatch(r'(.*?[\s*\]])(\w+)((?::\w+)*)(?:@(\w+))?', text.strip())
        if not m:
            raise ListError(f'argument "{text}" is not written as "C-TYPE NAME[:WORD]...[@SIZE-ARGUMENT]"')
        a = Arg()
        a.ctype, a.name, words, a.size_source = m[1].strip(), m[2], m[3], m[4]
        a.source = position
        if a.ctype in self.types:
            a.type, words = self.types[a.ctype][0], self.types[a.ctype][1] + words
        elif a.ctype.endswith('*'):
            a.type = 'ptr'
        else:
            raise ListError(f'C type "{a.ctype}" has no "type" line')
        filled = time32 = False
        for word in words.split(':')[1:]:
            if word == 'out':
                filled = True
            elif word == 'time32':
                time32 = True
            elif word in self.wire_types:
                a.type = word
            else:
                a.printer = word
        if time32 and a.type == 'timespec':
            a.flags.append('SCT_ARG_PLAN_TIME32')
        if a.type == 'int2' or a.type in ('str_out', 'sockaddr_out'):
            filled = True
        if filled:
            if a.type not in FILLED_TYPES:
                raise ListError(f'argument {a.name}: type {a.type} cannot be filled by the kernel')
            a.type = FILLED_TYPES[a.type]
            a.flags.append('SCT_ARG_PLAN_EXIT')
        return a

    def parse_args(self, text):
        args = [self.parse_arg(t, i) for i, t in enumerate(text.split(','))] if text.strip() else []
        names = [a.name for a in args]
        if len(set(names)) != len(names):
            raise ListError('two arguments have one name')
        if len(args) > ARGS_MAX:
            raise ListError(f'more than {ARGS_MAX} arguments')
        for a in args:
            if a.size_source is not None:
                if a.size_source not in names:
                    raise ListError(f'argument {a.name} takes its size from "{a.size_source}", which is no argument')
                a.size_source = names.index(a.size_source)
        return args

    def take_layout32(self, text, event):
        """ia32args=0,1,2+3: where a 32-bit caller has each argument, LOW+HIGH the halves of one that needs two."""
        where = [re.fullmatch(r'([0-5])(?:\+([0-5]))?', w) for w in text.split(',')]
        if len(where) != len(event.args) or None in where:
            raise ListError(f'ia32args={text}: write for each of the {len(event.args)} arguments one of 0 to 5, or LOW+HIGH')
        for a, m in zip(event.args, where):
            if a.size_source is not None:
                raise ListError(f'ia32args={text}: argument {a.name} has a size, which is not looked up there')
            a.low32, a.high32 = int(m[1]), int(m[2]) if m[2] else 0xff
            if m[2] and a.type not in ('s64', 'u64'):
                raise ListError(f'ia32args={text}: argument {a.name} has no upper half')
            if a.low32 != a.source or m[2]:
                a.flags.append('SCT_ARG_PLAN_REGS32')

    def take_compat(self, name, event):
        if name not in self.compat_numbers:
            raise ListError(f'ia32={name}: the 32-bit table has no such call')
        if name in self.compat_users:
            raise ListError(f'32-bit call {name} belongs to {self.compat_users[name]} already')
        self.compat_users[name] = event.name
        event.compat = self.compat_numbers[name]

    def number_syscall(self, e, attrs):
        nr, native, ia32 = attrs.pop('nr', None), attrs.pop('native', e.name), attrs.pop('ia32', None)
        if nr is not None:
            e.native = int(nr)
            if e.native >= 424:                     # one number on every ABI from here on
                e.compat = e.native
            for known in (self.native_numbers.get(native),
                          self.compat_numbers.get(native) if e.compat >= 0 else None):
                if known is not None and known != e.native:
                    raise ListError(f'nr={nr}, but the headers say {known}')
        elif native in self.native_numbers:
            e.native = self.native_numbers[native]
        else:
            raise ListError(f'the headers have no system call "{native}": write nr= or native=')
        e.id = e.native
        if ia32 == '-' or (ia32 is None and e.compat >= 0):
            if ia32 == '-':
                e.compat = -1
        elif ia32 is not None:
            self.take_compat(ia32, e)
        elif e.name in self.compat_numbers:
            self.take_compat(e.name, e)

    def parse_event(self, kind, text):
        m = re.fullmatch(r'(?:(\d+) )?(\w+)\(([^()]*)\)((?: \S+)*?)(?: -- (.*))?', text)
        if not m:
            raise ListError(f'not written as "{kind} [ID] NAME(ARGUMENTS) WORDS [-- TEXT]"')
        e = Event()
        e.kind, e.name, e.doc = kind, m[2], m[5] or ''
        if kind == 'syscall' and m[1]:
            raise ListError('the id of a system call is its number and is not written')
        if kind != 'syscall' and not m[1]:
            raise ListError('the id is missing')
        if m[1]:
            e.id = int(m[1])
        e.args = self.parse_args(m[3])
        attrs = {}
        for word in m[4].split():
            if '=' in word:
                key, value = word.split('=', 1)
                attrs[key] = value
            elif word.startswith('!'):
                if word[1:] not in ('no_return', 'internal'):
                    raise ListError(f'unknown flag {word}')
                e.flags.add(word[1:])
            elif word in self.sets:
                e.sets.append(word)
            else:
                raise ListError(f'unknown set "{word}"')
        if kind == 'event':
            e.family, e.hook = attrs.pop('family', None), attrs.pop('hook', None)
            if e.family not in FAMILIES or not e.hook:
                raise ListError('family= or hook= is missing or wrong')
        else:
            e.family, e.hook = 'syscall', 'sys_enter'
            e.sets.append('syscalls')
            if kind == 'syscall':
                self.number_syscall(e, attrs)
            else:
                e.flags.add('compat_only')
                e.sets.append('32bit_unique')
                self.take_compat(attrs.pop('ia32', e.name), e)
            layout32 = attrs.pop('ia32args', None)
            if layout32 is not None:
                self.take_layout32(layout32, e)
            if len(e.args) > 6:
                raise ListError('a system call has at most 6 arguments')
        if attrs:
            raise ListError(f'unknown word {next(iter(attrs))}=')
        self.events.append(e)

    def parse_line(self, line):
        kind, _, rest = line.partition(' ')
        rest = rest.strip()
        if kind in ('syscall', 'compat', 'event'):
            self.parse_event(kind, rest)
        elif kind == 'set':
            name, _, doc = rest.partition(' ')
            if name in self.sets:
                raise ListError(f'set {name} is there already')
            self.sets.append(name)
            self.set_docs[name] = doc.strip()
        elif kind == 'type':
            ctype, _, what = rest.rpartition('=')
            words = what.split()
            if not ctype or not words or words[0] not in self.wire_types:
                raise ListError('not written as "type C-TYPE = WIRE [WORD]..."')
            self.types[ctype.strip()] = (words[0], ''.join(f':{w}' for w in words[1:]))
        else:
            raise ListError(f'unknown word "{kind}"')

    def check(self):
        ids, names = {}, {}
        for e in self.events:
            for table, key in ((ids, e.id), (names, e.name)):
                if key in table:
                    raise ListError(f'{e.name} and {table[key].name} are both {key}')
                table[key] = e
            if not 0 <= e.id < EVENT_ID_MAX:
                raise ListError(f'{e.name}: id {e.id} is out of range')
            if max(e.native, e.compat) >= SYSCALL_NR_MAX:
                raise ListError(f'{e.name}: system call number is out of range')
        if len(self.sets) > SETS_MAX:
            raise ListError(f'more than {SETS_MAX} sets')
        for name in self.compat_numbers:
            if name not in self.compat_users and self.compat_numbers[name] < 424:
                raise ListError(f'32-bit system call {name} belongs to no event')
        # Headers newer than this list do not break the build; what they add has no event.
        natives = {e.native for e in self.events}
        for name, nr in self.native_numbers.items():
            if nr not in natives:
                print(f'gen-events.py: system call {name} ({nr}) of the headers has no event', file=sys.stderr)
        self.events.sort(key=lambda e: e.id)


def c_string(s):
    return '"' + s.replace('\\', '\\\\').replace('"', '\\"') + '"'


HEADER = '/* SPDX-License-Identifier: {license} */\n/* Generated by gen-events.py from events.list. */\n'


def write_ids(c, out):
    out.write(HEADER.format(license='GPL-2.0-only OR LGPL-2.1-or-later'))
    out.write('#pragma once\n\nenum sct_event_id {\n')
    for e in c.events:
        out.write(f'        SCT_EVENT_{e.name.upper()} = {e.id},\n')
    out.write('};\n')


def write_table(c, out):
    w = out.write
    w(HEADER.format(license='LGPL-2.1-or-later'))
    w('\n#include "arg-type.h"\n#include "event-table.h"\n\n')
    for e in c.events:
        if not e.args:
            continue
        w(f'static const EventArgSpec args_{e.name}[] = {{\n')
        for a in e.args:
            size = '0xff' if a.size_source is None else a.size_source
            w(f'        {{ .name = {c_string(a.name)}, .ctype = {c_string(a.ctype)}, .doc = NULL, '
              f'.type = SCT_ARG_{a.type.upper()}, .printer = PRINTER_{a.printer.upper()}, .source = {a.source}, '
              f'.size_source = {size}, .flags = {" | ".join(a.flags) or 0}' +
              (f', .low32 = {a.low32}, .high32 = {a.high32}' if 'SCT_ARG_PLAN_REGS32' in a.flags else '') + ' },\n')
        w('};\n')
    w('\nconst EventSpec event_table[] = {\n')
    for e in c.events:
        sets = 0
        for s in e.sets:
            sets |= 1 << c.sets.index(s)
        w(f'        {{ .id = {e.id}, .name = {c_string(e.name)}, .family = EVENT_FAMILY_{e.family.upper()}, '
          f'.hook = {c_string(e.hook)}, .doc = {c_string(e.doc)}, ')
        if e.args:
            w(f'.args = args_{e.name}, .n_args = {len(e.args)}, ')
        w(f'.sets = {sets:#x}ULL' + ''.join(f', .{f} = true' for f in sorted(e.flags)) + ' },\n')
    w(f'}};\nconst size_t event_table_size = {len(c.events)};\n\n')

    def table(name, keys):
        w(f'const uint16_t {name}[{len(keys)}] = {{')
        for i, v in enumerate(keys):
            w(('\n        ' if i % 16 == 0 else ' ') + f'{v},')
        w('\n};\n')

    index = {e.id: i + 1 for i, e in enumerate(c.events)}
    w('/* Position in event_table + 1 by id, 0: no such event. */\n')
    table('event_table_by_id', [index.get(i, 0) for i in range(EVENT_ID_MAX)])
    w('\n/* Positions in event_table in order of name. */\n')
    table('event_table_by_name', sorted(range(len(c.events)), key=lambda i: c.events[i].name))
    w('\n/* Position + 1 by system call number, native and 32-bit. */\n')
    for which in ('native', 'compat'):
        numbers = {getattr(e, which): index[e.id] for e in c.events if getattr(e, which) >= 0}
        table(f'event_table_by_{which}_nr', [numbers.get(i, 0) for i in range(SYSCALL_NR_MAX)])
    w('\nconst char *const event_sets[] = {\n')
    for s in c.sets:
        w(f'        {c_string(s)},\n')
    w('        NULL,\n};\n')
    w('const char *const event_set_docs[] = {\n')
    for s in c.sets:
        w(f'        {c_string(c.set_docs[s])},\n')
    w('        NULL,\n};\n')


# Sets with more members than this are left to `scopectl events set=NAME`.
SET_SHOWN_MAX = 40


def write_man_set(c, name, out):
    members = [e.name for e in c.events if name in e.sets]
    out.write(f'``{name}``\n  {c.set_docs[name][0].upper()}{c.set_docs[name][1:]}. ')
    if not members:
        out.write('No event in this version, so ``set=`` refuses it.\n\n')
    elif len(members) == 1:
        out.write(f'One event: {members[0]}.\n\n')
    elif len(members) <= SET_SHOWN_MAX:
        out.write(f'{len(members)} events: {", ".join(sorted(members))}.\n\n')
    else:
        out.write(f'{len(members)} events.\n\n')


# Parts of one file, told apart by their comments: scopetrace.events(7) includes each below a heading of its own.
def write_man(c, out):
    parts = (('syscalls', lambda e: e.family == 'syscall' and 'compat_only' not in e.flags),
             ('compat', lambda e: 'compat_only' in e.flags),
             ('others', lambda e: e.family != 'syscall' and 'internal' not in e.flags))

    out.write('.. Generated by gen-events.py from events.list.\n\n.. begin-sets\n\n')
    for name in c.sets:
        write_man_set(c, name, out)
    out.write('.. end-sets\n\n')
    for part, belongs in parts:
        out.write(f'.. begin-{part}\n\n')
        for e in sorted(filter(belongs, c.events), key=lambda e: e.name):
            args = ', '.join('*{}* ({})'.format(a.name, a.ctype.replace('*', '\\*')) for a in e.args)
            sets = ', '.join(sorted(set(e.sets))) or 'none'
            out.write(f'``{e.name}`` ({e.id})\n')
            if e.doc:
                out.write(f'  {e.doc[0].upper()}{e.doc[1:]}.\n\n')
            out.write(f'  Arguments: {args or "none"}. Sets: {sets}.\n\n')
        out.write(f'.. end-{part}\n\n')


def write_completion(c, out):
    for e in c.events:
        if 'internal' not in e.flags:
            out.write(f'{e.name}\n')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--list', required=True)
    p.add_argument('--arg-types', required=True)
    p.add_argument('--outdir', required=True)
    p.add_argument('--arch', default='x86_64')
    p.add_argument('--cc', nargs='+', default=['cc'])
    o = p.parse_args()

    if o.arch not in ARCHES:
        sys.exit(f'gen-events.py: no system call headers are known for {o.arch}')
    native, compat = (read_numbers(o.cc, h) for h in ARCHES[o.arch])
    c = Catalogue(read_arg_types(o.arg_types), native, compat)
    with open(o.list) as f:
        for n, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith('#'):
                continue
            try:
                c.parse_line(line)
            except ListError as error:
                sys.exit(f'{o.list}:{n}: {error}')
    try:
        c.check()
    except ListError as error:
        sys.exit(f'{o.list}: {error}')
    for name, write in (('event-id.h', write_ids), ('event-table.c', write_table), ('events.man.inc', write_man),
                        ('events.completion', write_completion)):
        with open(os.path.join(o.outdir, name), 'w') as f:
            write(c, f)


if __name__ == '__main__':
    main()
