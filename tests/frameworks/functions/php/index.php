<?php
// PHP's own variables, as any script reads them: under `php -S` and as a CGI.

function accessor($accessor, $position, $name, $value) {
    return ['accessor' => $accessor, 'position' => $position, 'name' => $name, 'value' => $value];
}

$files = [];
$uploads = [];
foreach ($_FILES as $name => $file) {
    foreach ((array) $file['tmp_name'] as $key => $path) {
        if (!is_string($path) || !is_uploaded_file($path)) continue;
        if ($name === 'fuid') $uploads[] = file_get_contents($path);
        $files[] = [
            'name' => $name,
            'filename' => is_array($file['name']) ? $file['name'][$key] : $file['name'],
            'size' => filesize($path),
            'sha256' => hash_file('sha256', $path),
        ];
    }
}

$headers = [];
foreach ($_SERVER as $name => $value) {
    if (str_starts_with($name, 'HTTP_')) $headers[strtolower(strtr(substr($name, 5), '_', '-'))] = $value;
}
if (isset($_SERVER['CONTENT_TYPE'])) $headers['content-type'] = $_SERVER['CONTENT_TYPE'];

$body = file_get_contents('php://input');
$type = $_SERVER['CONTENT_TYPE'] ?? '';
$form = preg_match('~^(application/x-www-form-urlencoded|multipart/form-data)~i', $type);
$json = preg_match('~^application/json~i', $type) ? json_decode($body, true) : null;

header('Content-Type: application/json');
echo json_encode([
    'accessors' => [
        accessor('$_SERVER[HTTP_X_UID]', 'header', 'x-uid', $_SERVER['HTTP_X_UID'] ?? null),
        // Only a CGI has headers in its environment.
        accessor('getenv(HTTP_X_UID)', PHP_SAPI === 'cgi-fcgi' ? 'header' : 'other', 'x-uid', getenv('HTTP_X_UID') ?: null),
        accessor('getallheaders()', 'header', 'x-uid', array_change_key_case(getallheaders())['x-uid'] ?? null),
        accessor('$_GET[uid]', 'query', 'uid', $_GET['uid'] ?? null),
        accessor('filter_input(INPUT_GET, uid)', 'query', 'uid', filter_input(INPUT_GET, 'uid')),
        accessor('$_POST[fuid]', 'form', 'fuid', $_POST['fuid'] ?? null),
        accessor('filter_input(INPUT_POST, fuid)', 'form', 'fuid', filter_input(INPUT_POST, 'fuid')),
        accessor('$_FILES[fuid]', 'file', 'fuid', $uploads),
        accessor('$_REQUEST[uid]', 'any', 'uid', $_REQUEST['uid'] ?? null),
        accessor('$_REQUEST[fuid]', 'any', 'fuid', $_REQUEST['fuid'] ?? null),
        accessor('$_COOKIE[cuid]', 'cookie', 'cuid', $_COOKIE['cuid'] ?? null),
    ],
    'all' => [
        'query' => (object) $_GET,
        'form' => (object) $_POST,
        'files' => $files,
        'cookies' => (object) $_COOKIE,
        'headers' => $headers,
        'json' => $json,
        'body_sha256' => $form || $body === '' ? null : hash('sha256', $body),
    ],
], JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR);
