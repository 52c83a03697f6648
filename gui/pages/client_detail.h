#pragma once

#include "ops/model/client_row.h"

#include <QFormLayout>
#include <QLabel>
#include <QWidget>

#include <optional>

namespace relay::gui {

/// The details of one client: the verdict, its rule, its traffic, and the kernel's view of its socket.
class ClientDetail : public QWidget
{
    Q_OBJECT

public:
    explicit ClientDetail(QWidget *parent = nullptr);

    void showClient(const ClientRow &client);
    /// `text`: why there is no client to show.
    void showNothing(const QString &text);
    [[nodiscard]] QString text() const;

private:
    enum FactName {
        Address,
        Channel,
        Transport,
        UserAgent,
        Since,
        Received,
        Sent,
        Queue,
        Ping,
        Rtt,
        Retransmits,
        Unacknowledged,
        Unsent,
        FactCount
    };
    void addFact(QFormLayout &form, const QString &name);

    QLabel *m_title;
    QLabel *m_verdict;
    QLabel *m_rule;
    QWidget *m_facts;
    QList<QLabel *> m_values; ///< by FactName
};

} // namespace relay::gui
