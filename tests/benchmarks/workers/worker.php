<?php
// A worker of a few lines, as php-gearman's manual shows one: worker.php PORT NAME. It serves what the floor serves.

function serve(string $name, callable $run): void {
    global $worker;
    $worker->addFunction($name, function (GearmanJob $job) use ($run) {
        $results = [];
        foreach (json_decode($job->workload(), true)['tasks'] as $id => $task) {
            $results[$id] = $run($task) + ['finishedTimestamp' => '2024-08-04T21:44:55.661575+00:00'];
        }
        return json_encode(['task_results' => $results]);
    });
}

$worker = new GearmanWorker();
$worker->addServer('127.0.0.1', (int) $argv[1]);
serve($argv[2], fn($task) => ['exitCode' => 0]);
serve("$argv[2]_output", fn($task) => ['exitCode' => 0, 'stdout' => str_repeat('x', (int) $task['arguments']),
                                       'stderr' => '', 'stderror' => '']);
serve("$argv[2]_program", fn($task) => ['exitCode' => proc_close(proc_open(['/bin/true'], [], $pipes))]);
while ($worker->work());
