#include "server/requests/request_desk.h"

#include <gtest/gtest.h>

#include "tests/unit/server/routes_fixture.h"

namespace heliograph::server {
namespace {

TEST(RequestDesk, WhatARequestSaysOfItsInputStandsThoughTheViewMovedOn) {
  Observatory mesh;
  ReaderPool readers(mesh.file());
  const auto publisher = *queue::Publisher::Open(mesh.volume(), "boot");
  auto view = std::make_shared<MeshView>();
  view->epoch = "the present one";
  view->watermark = 7;
  view->head_seq = 3;
  HeldView views;
  views.view = view;
  RequestDesk desk(*publisher, views, readers);

  QueuedRequest plain;
  plain.kind = queue::Kind::kClusterJob;
  plain.stream = "plain";
  desk.Publish(plain);
  QueuedRequest own = plain;
  own.stream = "own";
  own.epoch = "of the input";
  own.watermark = 5;
  own.base_commit_seq = 2;
  desk.Publish(own);

  const queue::Envelope rests_on_view = publisher->Outstanding("plain")->front().envelope;
  EXPECT_EQ(rests_on_view.epoch, "the present one");
  EXPECT_EQ(rests_on_view.watermark, 7);
  EXPECT_EQ(rests_on_view.base_commit_seq, 3);
  const queue::Envelope rests_on_input = publisher->Outstanding("own")->front().envelope;
  EXPECT_EQ(rests_on_input.epoch, "of the input");
  EXPECT_EQ(rests_on_input.watermark, 5);
  EXPECT_EQ(rests_on_input.base_commit_seq, 2);
}

}  // namespace
}  // namespace heliograph::server
