;;; baton.el - Baton in Gnus: into ~/.gnus.el.  Then M-x gnus, and ^ lists what each server has.
;;
;; The password stands in ~/.authinfo.gpg, one line for each of the three:
;;   machine mail.team.example port 993 login ana password secret
;;   machine mail.team.example port 563 login ana password secret force yes
;;   machine mail.team.example port 465 login ana password secret
;; "force yes" makes nntp.el log in at once; Baton asks everybody for a login.

(setq user-full-name "Ana Marques"
      user-mail-address "ana@team.example")

;; Your own folders over IMAP, the topics over news: each topic shows once.
(setq gnus-select-method
      '(nntp "baton"
             (nntp-address "mail.team.example")
             (nntp-port-number 563)
             (nntp-open-connection-function nntp-open-tls-stream)))
(setq gnus-secondary-select-methods
      '((nnimap "baton"
                (nnimap-address "mail.team.example")
                (nnimap-server-port 993)
                (nnimap-stream ssl)
                (nnimap-inbox nil))))
(setq gnus-ignored-newsgroups "^nnimap\\+baton:Topics/")

;; Mail goes out by Baton's submission port, with a login.
(setq message-send-mail-function 'smtpmail-send-it
      smtpmail-smtp-server "mail.team.example"
      smtpmail-smtp-service 465
      smtpmail-stream-type 'ssl)

;; What is sent is kept on the server.
(setq gnus-message-archive-group "nnimap+baton:Sent")
