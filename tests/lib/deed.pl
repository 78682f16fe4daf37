# SPDX-License-Identifier: LGPL-2.1-or-later
# One deed by name, so that a policy has something to see: perl is in every Debian, under whatever name it is copied to.
#     perl deed.pl DEED [ARGUMENT...]
use strict;
use warnings;
use Socket;

my %deeds = (
        nothing => sub { },
        open => sub { open(my $f, '<', $_) or die "$_: $!" for @_ },
        append => sub { open(my $f, '>>', $_[0]) or die; syswrite($f, $_[1] // "x\n") },
        stdout => sub { syswrite(STDOUT, "$_[0]\n") },
        stderr => sub { syswrite(STDERR, "$_[0]\n") },
        linkat => sub { syscall(265, -100, $_[0], -100, $_[1], 0) == 0 or exit($! + 0) },
        symlinkat => sub { syscall(266, $_[0], -100, $_[1]) == 0 or exit($! + 0) },
        openat => sub { syscall(257, $_[0] + 0, $_[1], ($_[2] // 0) + 0, 0) },
        connect => sub {
                socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
                connect($s, sockaddr_in($_[0], inet_aton('127.0.0.1'))) and syswrite($s, 'hello');
        },
        bpfmap => sub {
                my $attr = pack('LLLLL', 2, 4, 4, 1, 0) . "\0" x 100;
                syscall(321, 0, $attr, 72) >= 0 or die "bpf: $!";
        },
        memfd => sub {   # a copy of the program in memory, executed by its descriptor
                my $name = 'st-memfd';      # syscall() wants strings that it could write to
                my $fd = syscall(319, $name, 0);
                open(my $to, '>&=', $fd) or die;
                open(my $from, '<', '/usr/bin/true') or die;
                local $/;
                print {$to} <$from>;
                $to->flush();
                exec("/proc/self/fd/$fd") or die "$!";
        },
        exec => sub { exec(@_) },
        settime => sub { syscall(227, 99, 0) },
        mount => sub { my $type = 'st-none'; syscall(165, $_[0], $_[1], $type, 0, 0) },
        pivot => sub { syscall(155, $_[0], $_[1]) },
        ptrace => sub { syscall(101, 99, 0, 4711, 0) },
        setuid => sub { syscall(105, $_[0] + 0) },
        setuid_open => sub { syscall(105, $_[0] + 0); open(my $f, '<', $_[1]) },
        userns => sub { syscall(105, $_[0] + 0) == 0 or die; syscall(272, 0x10000000) == 0 or exit($! + 0) },
        mntns_open => sub { syscall(272, 0x00020000) == 0 or die; open(my $f, '<', $_[0]) or die },
        # Opens FILE, is changed by CHANGE (none, caps), writes.
        strange => sub {
                my ($file, $change) = @_;
                open(my $f, '>>', $file) or die "$file: $!";
                syscall(105, 65534) == 0 or die if $change eq 'caps';
                syswrite($f, "strange\n");
        },
        unshared => sub { syscall(272, 0x00020000) == 0 or die; main::deed(@_) },
        dup2 => sub { syscall(33, 2, 17) == 17 or die; syscall(292, 2, 18, 0) == 18 or die },
        # Waits until a file is there, so that a policy can name this process.
        after => sub {
                my ($file, $deed, @rest) = @_;
                select(undef, undef, undef, 0.05) until -e $file;
                main::deed($deed, @rest);
        },
);

sub deed {
        my ($name, @args) = @_;
        ($deeds{$name} or die "no deed $name\n")->(@args);
}

deed(@ARGV);
