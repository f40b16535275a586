<?php
// Answers a request with what PHP reads from it, as JSON with names and values in hexadecimal.
function leaves($value): array {
    return is_array($value) ? array_merge([], ...array_map('leaves', array_values($value))) : [bin2hex((string) $value)];
}

function pairs(array $found): array {
    $pairs = [];
    foreach ($found as $name => $value) {
        $pairs[] = [bin2hex((string) $name), leaves($value)];
    }
    return $pairs;
}

$files = [];
foreach ($_FILES as $name => $file) {
    $paths = is_array($file['tmp_name']) ? [] : [$file['tmp_name']];
    $files[] = [bin2hex((string) $name), array_map(fn($path) => bin2hex(file_get_contents($path)), array_values(array_filter($paths)))];
}
header('Content-Type: application/json');
echo json_encode(['query' => pairs($_GET), 'body' => array_merge(pairs($_POST), $files), 'cookies' => pairs($_COOKIE)]);
