// SPDX-License-Identifier: Apache-2.0
#include "core/graph/class_registry.h"

#include <gmock/gmock.h>

namespace bess {

struct Fruit {
  struct Info {
    std::string_view name;
  };
  std::shared_ptr<Library> library;
  std::weak_ptr<const Fruit> self;
  Info info;
};

namespace {

using testing::ElementsAre;

Fruit Named(std::string_view name) {
  Fruit fruit;
  fruit.info.name = name;
  return fruit;
}

TEST(ClassRegistryTest, FindsByNameWhatWasAdded) {
  ClassRegistry<Fruit> registry;
  EXPECT_TRUE(registry.Add(Named("apple")));
  EXPECT_FALSE(registry.Add(Named("apple")));
  const auto apple = registry.Find("apple");
  ASSERT_NE(apple, nullptr);
  EXPECT_EQ(apple->self.lock(), apple);
  EXPECT_EQ(apple->library, nullptr);
  EXPECT_EQ(registry.Find("pear"), nullptr);
  EXPECT_EQ(registry.classes().size(), 1u);
}

TEST(ClassRegistryTest, RemovesTheClassesOfOneLibrary) {
  ClassRegistry<Fruit> registry;
  registry.Add(Named("apple"));
  const Library none;
  registry.RemoveAll(none);
  EXPECT_NE(registry.Find("apple"), nullptr);
}

TEST(ClassRegistryTest, WhatItMakesKeepsAClassOfALibrary) {
  auto fruit = std::make_shared<Fruit>();
  const std::weak_ptr<Fruit> seen = fruit;
  fruit->library = std::make_shared<Library>();
  std::shared_ptr<int> made =
      KeepClass(std::make_unique<int>(5), std::shared_ptr<const Fruit>(fruit));
  fruit.reset();
  EXPECT_FALSE(seen.expired());
  made.reset();
  EXPECT_TRUE(seen.expired());
}

TEST(LibraryTest, TellsWhyItCannotBeOpened) {
  const auto library = std::make_shared<Library>();
  EXPECT_NE(Library::Open(library, "/dev/null").find("/dev/null"), std::string::npos);
  EXPECT_EQ(Library::Opening(), nullptr);
  library->Refuse("Sink");
  EXPECT_THAT(library->refused(), ElementsAre("Sink"));
}

}  // namespace
}  // namespace bess
