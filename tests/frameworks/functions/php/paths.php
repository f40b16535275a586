<?php
// A front controller: one script for all paths, with a secret under /admin.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$path = is_string($path) ? rawurldecode($path) : '';
$secret = $path === '/admin' || str_starts_with($path, '/admin/');
header('Content-Type: application/json');
echo json_encode(['secret' => $secret, 'path' => $path], JSON_INVALID_UTF8_SUBSTITUTE);
