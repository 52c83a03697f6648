#pragma once

#include "ops/model/overview.h"

#include "gui/relay/relay_source.h"

#include <QLabel>
#include <QList>
#include <QScrollArea>
#include <QTimer>

class QBoxLayout;
class QGridLayout;

namespace relay::gui {

class AddressLine;
class HealthLine;
class StatCard;
class WorkerShares;

/// The relay at a glance: health, where clients connect, four large numbers with their last ten minutes, and further
/// figures. While the relay is gone the plots continue with a gap.
class OverviewPage : public QScrollArea
{
    Q_OBJECT

public:
    /// The source must outlive it.
    explicit OverviewPage(RelaySource &source, QWidget *parent = nullptr);

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    QWidget *makeNumbers();
    QWidget *makeDetails();
    QLabel *addDetail(QGridLayout &grid, const QString &name);
    void showOverview(const Overview &overview);
    void showDetails(const Overview &overview);
    void showLink(const LinkState &link);
    void showNothing();

    RelaySource &m_source;
    HealthLine *m_health;
    AddressLine *m_address;
    StatCard *m_clients = nullptr;
    StatCard *m_messages = nullptr;
    StatCard *m_deliveries = nullptr;
    StatCard *m_latency = nullptr;
    QBoxLayout *m_detailCards = nullptr; ///< side by side, or one above the other
    WorkerShares *m_workers = nullptr;
    struct Details
    {
        QLabel *received = nullptr;
        QLabel *sent = nullptr;
        QLabel *channels = nullptr;
        QLabel *history = nullptr;
        QLabel *memory = nullptr;
        QLabel *cpu = nullptr;
        QLabel *dropped = nullptr;
        QLabel *slow = nullptr;
    } m_details;
    int m_detailCount = 0;
    QTimer m_withoutRelay; ///< moves the plots while there is no relay
};

} // namespace relay::gui
