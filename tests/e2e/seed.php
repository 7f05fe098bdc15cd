<?php
// Empties a WordPress begun by tests/real/wordpress/start and fills it with the posts and comments
// of one file. Prints {"posts": {key: id}, "comments": {key: id}}.
//   php seed.php SITE_FOLDER SITE_URL FILE.json
[$self, $site, $url, $json] = $argv;
$_SERVER['HTTP_HOST'] = parse_url($url, PHP_URL_HOST) . ':' . parse_url($url, PHP_URL_PORT);
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1'; $_SERVER['REQUEST_METHOD'] = 'GET'; $_SERVER['REMOTE_ADDR'] = '127.0.0.1';
require "$site/wp-load.php";
add_filter('pre_wp_mail', '__return_true');
$data = json_decode(file_get_contents($json), true, 64, JSON_THROW_ON_ERROR);
global $wpdb;
foreach (['comments', 'commentmeta'] as $table) $wpdb->query("DELETE FROM {$wpdb->prefix}$table");
foreach (get_posts(['post_type' => 'post', 'post_status' => 'any', 'numberposts' => -1, 'fields' => 'ids']) as $old) wp_delete_post($old, true);
wp_cache_flush();
$editor = get_user_by('login', 'redaktor')->ID;
$zone = wp_timezone(); $now = time(); $posts = []; $comments = [];
$stamps = fn($at) => [wp_date('Y-m-d H:i:s', $at, $zone), gmdate('Y-m-d H:i:s', $at)];
$wpdb->query('START TRANSACTION');
foreach ($data['posts'] as $n => $post) {
  [$local, $utc] = $stamps($now - (96 - $n) * 3600);
  $posts[$post['key']] = wp_insert_post(wp_slash(['post_title' => $post['title'], 'post_content' => $post['text'],
    'post_status' => 'publish', 'post_author' => $editor, 'post_date' => $local, 'post_date_gmt' => $utc]), true);
}
foreach ($data['comments'] as $n => $comment) {
  [$local, $utc] = $stamps($now - 90 * 3600 + $n * 900);
  // The same filters that a visitor's comment passes through.
  $comments[$comment['key']] = wp_insert_comment(wp_filter_comment([
    'comment_post_ID' => $posts[$comment['post']], 'comment_parent' => $comment['parent'] ? $comments[$comment['parent']] : 0,
    'comment_author' => wp_slash($comment['name']), 'comment_author_email' => "$n@medborgare.example", 'comment_author_url' => '',
    'comment_content' => wp_slash($comment['text']), 'comment_date' => $local, 'comment_date_gmt' => $utc,
    'comment_approved' => 1, 'user_id' => 0, 'comment_type' => 'comment', 'comment_author_IP' => '127.0.0.2', 'comment_agent' => 'seed']));
}
$wpdb->query('COMMIT');
if (in_array(false, $comments, true)) { fwrite(STDERR, "a comment was refused\n"); exit(1); }
echo json_encode(['posts' => $posts, 'comments' => $comments]);
