#pragma once

#include "ops/model/overview.h"

#include <QList>
#include <QWidget>

class QGridLayout;
class QLabel;

namespace relay::gui {

class ShareBar;

/// The load of each worker thread: its clients, deliveries and processor time, and its part of the
/// deliveries as a bar (of the clients while nothing is delivered).
class WorkerShares : public QWidget
{
    Q_OBJECT

public:
    static constexpr qsizetype kMostWorkers = 256; ///< more take long to lay out

    explicit WorkerShares(QWidget *parent = nullptr);

    /// A worker that is no longer among them has dashes. At most kMostWorkers are shown.
    void setShares(const QList<WorkerShare> &all);

private:
    struct Row
    {
        ShareBar *bar;
        QLabel *clients;
        QLabel *deliveries;
        QLabel *cpu;
    };
    void addRow();
    static void clearRow(const Row &row);

    QGridLayout *m_grid;
    QList<Row> m_rows;
};

} // namespace relay::gui
