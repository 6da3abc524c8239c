# Sorts mail that Baton sent on, by the fields of doc/headers. For Dovecot, Cyrus, and others with
# RFC 5228, fileinto, variables and mailbox.
require ["fileinto", "variables", "mailbox", "imap4flags"];

# The morning's digest
if header :is "Baton-Kind" "digest" {
    fileinto :create "Digests";
    stop;
}

# One topic by its List-Id, as any mailing list: it wants attention
if header :is "List-Id" "<eng.ops.team.example>" {
    addflag "\\Flagged";
    fileinto :create "Ops";
    stop;
}

# Every other topic into a folder of its own. Baton-Topic holds a topic's name and nothing else.
if header :matches "Baton-Topic" "*" {
    fileinto :create "Topics/${1}";
    stop;
}
