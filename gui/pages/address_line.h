#pragma once

#include <QLabel>
#include <QPushButton>
#include <QUrl>
#include <QWidget>

namespace relay::gui {

/// How to begin: "Connect to ws://127.0.0.1:8443/, or open http://127.0.0.1:8443/ in a browser." `page` is the http
/// or https URL of the root channel; empty, while it is not known: an empty text.
QString connectHint(const QUrl &page);

/// Where clients connect, and a button that opens the relay's page in a browser. While there are no clients it says
/// how to begin.
class AddressLine : public QWidget
{
    Q_OBJECT

public:
    explicit AddressLine(QWidget *parent = nullptr);

    /// `page`: as connectHint()'s. Nothing is shown while it is empty.
    void setAddress(const QUrl &page, int clients);
    [[nodiscard]] QString text() const { return m_text->text(); }

private:
    QLabel *m_text;
    QPushButton *m_open;
    QUrl m_page;
};

} // namespace relay::gui
