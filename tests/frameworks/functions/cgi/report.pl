#!/usr/bin/perl
# CGI.pm, as scripts of Perl use it: a CGI, or one process for all requests under FastCGI.
use strict;
use warnings;
use CGI ();
use CGI::Fast ();
use Digest::SHA qw(sha256_hex);
use JSON::PP ();

$CGI::LIST_CONTEXT_WARN = 0;

while (1) {
    # CGI.pm dies of some malformed forms, of one without any part too, and has an error for others.
    my $q = eval { CGI::Fast->new };
    last unless $q || $@;
    if (my $error = $q ? $q->cgi_error : "400 $@") {
        print "Status: 400\r\nContent-Type: text/plain\r\n\r\n$error";
    } else {
        report($q);
    }
}

sub accessor {
    my ($accessor, $position, $name, @values) = @_;
    return { accessor => $accessor, position => $position, name => $name, value => plain(@values) };
}

# A value as text, several as a list.
sub plain {
    my @values = map { defined $_ ? text($_) : undef } @_;
    return @values > 1 ? \@values : $values[0];
}

# What a browser sends is UTF-8, which is kept as such; other bytes become characters of Latin-1.
sub text {
    my $text = "$_[0]";
    my $decoded = $text;
    return utf8::decode($decoded) ? $decoded : $text;
}

sub report {
    my ($q) = @_;
    # A multipart form that is not posted becomes pairs of whatever is in it.
    my $is_broken = $q->request_method ne 'POST' && ($ENV{CONTENT_TYPE} // '') =~ m{^multipart/}i;
    my $is_form = $q->request_method =~ /^(POST|PUT|PATCH)$/;
    my (%form, @files);
    for my $name ($is_form ? $q->multi_param : ()) {
        my @values;
        for my $value ($q->multi_param($name)) {
            if (ref $value && defined fileno $value) {
                binmode $value;
                my $data = do { local $/; <$value> } // '';
                push @files, {
                    name => text($name), filename => text($value), size => length $data, sha256 => sha256_hex($data),
                };
            } else {
                push @values, $value;
            }
        }
        $form{text($name)} = plain(@values) if @values;
    }
    my %query = map { text($_) => plain($q->url_param($_)) } grep { defined } $q->url_param;
    my %cookies = map { text($_) => plain($q->cookie($_)) } $q->cookie;
    my %headers = map { my $name = lc substr $_, 5; $name =~ tr/_/-/; $name => text($ENV{$_}) } grep { /^HTTP_/ } keys %ENV;
    $headers{'content-type'} = $ENV{CONTENT_TYPE} if $ENV{CONTENT_TYPE};

    # CGI.pm puts a body that is no form into one parameter.
    my $raw = $q->param('POSTDATA') // $q->param('PUTDATA') // $q->param('PATCHDATA');
    delete @form{qw(POSTDATA PUTDATA PATCHDATA)};
    my $json = defined $raw && ($ENV{CONTENT_TYPE} // '') =~ m{^application/json}i
        ? eval { JSON::PP->new->utf8->decode($raw) }
        : undef;

    my @fuid = map { ref $_ && defined fileno $_ ? do { seek $_, 0, 0; local $/; scalar readline $_ } : $_ }
        $q->multi_param('fuid');
    my @accessors = (
        accessor('$ENV{HTTP_X_UID}', 'header', 'x-uid', $ENV{HTTP_X_UID}),
        accessor('$q->http("X-Uid")', 'header', 'x-uid', scalar $q->http('X-Uid')),
        accessor('$q->url_param("uid")', 'query', 'uid', $q->url_param('uid')),
        accessor('$q->cookie("cuid")', 'cookie', 'cuid', $q->cookie('cuid')),
        # Without a body param() reads the query; with one it reads that alone.
        accessor('$q->param("uid")', $ENV{CONTENT_LENGTH} || $is_form ? 'other' : 'any', 'uid', $q->multi_param('uid')),
        accessor('$q->param("fuid")', $is_form ? 'form' : 'any', 'fuid', @fuid),
    );

    print "Content-Type: application/json\r\n\r\n", JSON::PP->new->utf8->canonical->encode({
        accessors => \@accessors,
        all => {
            query => \%query, form => $is_broken ? undef : \%form, files => \@files, cookies => \%cookies, headers => \%headers,
            json => $json, body_sha256 => defined $raw ? sha256_hex($raw) : undef,
        },
    });
}
