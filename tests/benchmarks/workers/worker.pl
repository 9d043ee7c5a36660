#!/usr/bin/perl
# A worker of a few lines, as the manual of Gearman::Worker shows one: worker.pl PORT NAME. It serves what the floor
# serves.
use strict;
use warnings;
use Gearman::Worker;
use JSON::PP;

my ($port, $name) = @ARGV;
my $json = JSON::PP->new->utf8->canonical;
my $worker = Gearman::Worker->new(job_servers => "127.0.0.1:$port");

sub serve {
    my ($function, $run) = @_;
    $worker->register_function($function => sub {
        my $tasks = $json->decode($_[0]->arg)->{tasks};
        my %results = map { $_ => { $run->($tasks->{$_}), finishedTimestamp => '2024-08-04T21:44:55.661575+00:00' } }
            keys %$tasks;
        return $json->encode({ task_results => \%results });
    });
}

serve($name, sub { exitCode => 0 });
serve("${name}_output", sub { (exitCode => 0, stdout => 'x' x $_[0]{arguments}, stderr => '', stderror => '') });
serve("${name}_program", sub { exitCode => system('/bin/true') >> 8 });
$worker->work while 1;
